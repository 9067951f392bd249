"""The PDFs that go with reminders and statements: made and kept before these are recorded."""

from __future__ import annotations

from services import documents, pdf
from services.communications import Attachment
from services.communications.attachment_storage import keep
from services.pdf import wording
from services.reminders.item import Item


async def attachments(item: Item) -> list[Attachment]:
    """What the item attaches, the invoice before the statement; nothing when nobody gets it. Outside of transactions.

    A payment that arrives meanwhile may be in an invoice's PDF already: the item is not as it was then.
    """
    if item.suppressed is not None:
        return []
    files = []
    if item.invoice is not None and item.step is not None and item.step["attach_invoice"]:
        file = await pdf.of_sales_document(item.invoice["id"])
        files += [(file.name, file.data)] if file is not None else []
    if item.statement is not None:
        name = wording.file_name("Statement", item.statement.as_of.isoformat())
        files.append((name, await pdf.statement(item.settings, item.statement)))
    return [await keep(documents.current(), name, pdf.MEDIA_TYPE, data) for name, data in files]
