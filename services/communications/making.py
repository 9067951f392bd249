"""Making the PDFs that go with an email. It takes time, so it happens before the transaction, which looks whether they
still tell the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models import ErrorCode, Fault
from models.statement_rows import payments_of
from services import pdf
from services.communications.material import Material, revision
from services.pdf.sales_documents import title
from services.pdf.wording import file_name


@dataclass(frozen=True)
class Made:
    """A PDF, the field that asks for it, and what it was made of."""

    field: str
    name: str
    data: bytes
    made_of: object


async def pdfs(material: Material, given: Mapping[str, Any]) -> list[Made]:
    """The PDFs that are asked for. Outside of transactions."""
    made = []
    document, statement = material.sales_document, material.statement
    if given.get("attach_invoice") and document is not None:
        [payments] = await payments_of([document["id"]])
        data = await pdf.invoice(material.settings, material.customer, document, payments, material.location)
        made.append(Made("attach_invoice", file_name(title(document)), data, _of("attach_invoice", material)))
    if given.get("attach_statement") and statement is not None:
        name = file_name("Statement", statement.as_of.isoformat())
        data = await pdf.statement(material.settings, statement)
        made.append(Made("attach_statement", name, data, _of("attach_statement", material)))
    return made


def check_current(made: Made, material: Material) -> None:
    """Fault CONFLICT unless the PDF would be made of the same rows now."""
    if made.made_of == _of(made.field, material):
        return
    what = "sales document" if made.field == "attach_invoice" else "statement"
    row = material.sales_document if made.field == "attach_invoice" else None
    raise Fault(
        ErrorCode.CONFLICT,
        f"The {what} changed while its PDF was made. Look at it again and repeat.",
        (made.field,),
        current_revision=row["revision"] if row is not None else None,
    )


def _of(field: str, material: Material) -> object:
    if field == "attach_statement":
        return revision(material.settings), material.statement
    # Every payment changes the document, too: its balance.
    rows = material.settings, material.customer, material.sales_document, material.location
    return [revision(row) for row in rows]
