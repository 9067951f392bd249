"""Reading templates."""

from __future__ import annotations

from models.communication_kind import CommunicationKind
from models.database import current
from models.table import Row, column_list
from models.template import Template


async def standard_template(kind: CommunicationKind) -> Row:
    """The template that emails of this kind are made from where no other is named."""
    sql = f'SELECT {column_list(Template)} FROM "template" WHERE kind = ? AND standard'
    [row] = await current().fetch(sql, kind.value)
    return row
