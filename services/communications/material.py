"""What an email is made of: rows and checks, read alike for sending and for looking ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import (
    CommunicationKind,
    Customer,
    ErrorCode,
    Fault,
    Location,
    Row,
    SalesDocument,
    SalesDocumentKind,
    SalesDocumentStatus,
    Settings,
    clock,
)
from models.communication_document import DOCUMENTS
from models.communication_kind import DESIGNATION
from models.identifier import check_id
from models.preferences import SETTINGS_ID
from models.recipient import Decision
from models.recipient_rows import decisions
from models.rows import by_ids
from models.statement import Statement
from models.table import decode_row
from services import statements, templates
from services.communications import attaching
from services.communications.draft import Attachment

_K, _S = CommunicationKind, SalesDocumentStatus

# What such an email is about has to be named.
_ABOUT = {_K.INVOICE: "an invoice", _K.ESTIMATE: "a quote or an order"}
_REMINDED = "only for open invoices somebody is reminded"
_STATUSES: Mapping[CommunicationKind, tuple[frozenset[SalesDocumentStatus], str]] = {
    _K.INVOICE: (frozenset({_S.POSTED, _S.PAID}), "only posted invoices are sent"),
    _K.REMINDER: (frozenset({_S.POSTED}), _REMINDED),
    _K.WORKFLOW_REMINDER: (frozenset({_S.POSTED}), _REMINDED),
    _K.ESTIMATE: (frozenset(_S) - {_S.VOID}, "what is void is not offered"),
}


@dataclass(frozen=True)
class Material:
    """The rows, their JSON columns decoded. `template` is None for own text, `attachments` are the documents."""

    settings: Row
    customer: Row
    sales_document: Row | None
    location: Row | None
    template: Row | None
    decisions: Sequence[Decision]
    attachments: Sequence[Attachment]
    statement: Statement | None


def revision(row: Row | None) -> tuple[str, int] | None:
    """What tells whether a row is still the same."""
    return None if row is None else (row["id"], row["revision"])


async def gather(given: Mapping[str, Any]) -> Material:
    """The material of an email that somebody sends: `kind`, `customer_id`, and as in SendCommunicationInput
    `sales_document_id`, `template_id`, `text`, `document_ids`, `attach_invoice`, `attach_statement` and
    `statement_month`. Faults at their fields.
    """
    kind: CommunicationKind = given["kind"]
    _check_kind(kind)
    customer = await _customer(given["customer_id"])
    document = await _sales_document(kind, given.get("sales_document_id"), customer["id"])
    if document is None and given.get("attach_invoice"):
        raise Fault.invalid("Name the sales document whose PDF is attached.", "sales_document_id")
    own = any(given.get(name) is not None for name in ("subject", "text", "html"))
    if own and given.get("template_id") is not None:
        raise Fault.invalid("Give a text of your own or a template, not both.", "template_id")
    location_id = document["location_id"] if document is not None else None
    [location] = await by_ids(Location)([location_id]) if location_id is not None else [None]
    [found] = await decisions([customer["id"]], kind, {customer["id"]: location_id})
    return Material(
        settings=await settings(),
        customer=customer,
        sales_document=document,
        location=location,
        template=None if own else await templates.chosen(kind, given.get("template_id")),
        decisions=found,
        attachments=await attaching.from_documents(customer["id"], given.get("document_ids") or ()),
        statement=await _statement(kind, given, customer["id"]),
    )


async def settings() -> Row:
    """The settings, decoded. RuntimeError before there are any."""
    [row] = await by_ids(Settings)([SETTINGS_ID])
    if row is None:
        raise RuntimeError("there are no settings yet: services.defaults makes them")
    return decode_row(Settings, row)


def _check_kind(kind: CommunicationKind) -> None:
    if kind not in DESIGNATION:
        message = "These emails go to the contact that they are about: create a contact, or use sendPasswordLink."
        raise Fault.invalid(message, "kind")
    if kind is _K.WORKFLOW_REMINDER:
        raise Fault.invalid("Workflows send these by themselves: send a REMINDER.", "kind")


async def _customer(identifier: str) -> Row:
    field = ("customer_id",)
    check_id(identifier, Customer.prefix, *field)
    [row] = await by_ids(Customer)([identifier])
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no customer with this ID.", field)
    if row["merged_into_id"] is not None:
        message = f"This customer was merged into another one: use that one, {row['merged_into_id']}."
        raise Fault(ErrorCode.READ_ONLY, message, field)
    return decode_row(Customer, row)


async def _sales_document(kind: CommunicationKind, identifier: str | None, customer_id: str) -> Row | None:
    field = ("sales_document_id",)
    if identifier is None:
        if kind in _ABOUT:
            raise Fault.invalid(f"Name what it is about: {_ABOUT[kind]}.", *field)
        return None
    check_id(identifier, SalesDocument.prefix, *field)
    [row] = await by_ids(SalesDocument)([identifier])
    if row is None:
        raise Fault(ErrorCode.NOT_FOUND, "There is no sales document with this ID.", field)
    if row["customer_id"] != customer_id:
        raise Fault.invalid("This sales document belongs to another customer.", *field)
    check_about(kind, row, field)
    return decode_row(SalesDocument, row)


def check_about(kind: CommunicationKind, document: Row, field: attaching.Field) -> None:
    """Fault at the field unless an email of this kind can be about the sales document as it is now: INVALID or
    WRONG_STATUS.
    """
    what = document["kind"].lower()
    if SalesDocumentKind(document["kind"]) not in DOCUMENTS[kind]:
        raise Fault.invalid(f"An email of the kind {kind.value} is not about this {what}.", *field)
    allowed, why = _STATUSES.get(kind, (frozenset(_S), ""))
    if SalesDocumentStatus(document["status"]) not in allowed:
        raise Fault(ErrorCode.WRONG_STATUS, f"This {what} is {document['status']}: {why}.", field)


async def _statement(kind: CommunicationKind, given: Mapping[str, Any], customer_id: str) -> Statement | None:
    month = given.get("statement_month")
    if kind is not _K.STATEMENT and not given.get("attach_statement"):
        if month is not None:
            raise Fault.invalid("Only a statement is of a month: attach one, or leave this out.", "statement_month")
        return None
    today = clock.now().date()
    [found] = await statements.of_month(
        [customer_id], today.isoformat()[:7] if month is None else month, today, ("statement_month",)
    )
    return found
