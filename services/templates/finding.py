"""Finding the template of an email."""

from __future__ import annotations

from models import CommunicationKind, ErrorCode, Fault, Row, Template
from models.identifier import check_id
from models.rows import by_ids
from models.template_rows import standard_template as standard
from services.values.text import Field

__all__ = ["chosen", "standard"]


async def chosen(kind: CommunicationKind, template_id: str | None = None, field: Field = ("template_id",)) -> Row:
    """The template of this id, or the standard one of the kind; it is not locked (docs/decisions/0021). Fault INVALID
    or NOT_FOUND at `field`. Whether it is enabled is for the caller to look at.
    """
    if template_id is None:
        return await standard(kind)
    check_id(template_id, Template.prefix, *field)
    [row] = await by_ids(Template)([template_id])
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no template with this ID.", field)
    return _of_kind(row, kind, field)


def _of_kind(row: Row, kind: CommunicationKind, field: Field) -> Row:
    if row["kind"] != kind.value:
        what, wanted = (name.replace("_", " ").lower() for name in (row["kind"], kind.value))
        raise Fault.invalid(f"This template is for the kind {what}: name one for the kind {wanted}.", *field)
    return row
