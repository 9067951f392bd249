"""What a quote, an order or an invoice says on paper: pure functions of rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from models import Row, SalesDocumentKind, SalesDocumentStatus, money
from services import writing
from services.pdf import wording

LAYOUT = "sales_document.typ"

# As many payments stand by themselves; those before them are added up.
_MOST_PAYMENTS = 500

_TITLES = {
    SalesDocumentKind.QUOTE.value: "Quote",
    SalesDocumentKind.ORDER.value: "Order",
    SalesDocumentKind.INVOICE.value: "Invoice",
}
_TO = {SalesDocumentKind.INVOICE.value: "Bill to"}
_METHODS = {"CARD": "by card", "ACH": "by ACH", "CHECK": "by check", "CASH": "in cash", "TRANSFER": "by transfer"}


def title(document: Row) -> str:
    """`Invoice 1042`."""
    return f"{_TITLES[document['kind']]} {document['number']}"


def data(
    settings: Row, customer: Row, document: Row, payments: Sequence[Row], location: Row | None = None
) -> dict[str, Any]:
    """The layout's data. `payments` are all of the document's."""
    parties = wording.parties(settings, customer)
    currency, heading = document["currency"], title(document)
    issued = date.fromisoformat(document["issued_on"])
    facts = [["Date", writing.day(issued)]]
    if document["due_on"] is not None:
        facts.append(["Due", writing.day(date.fromisoformat(document["due_on"]))])
    if location is not None:
        facts.append(["Location", location["name"]])
    owed = document["balance"] if _is_payable(document) else document["amount"]
    return {
        **parties,
        "title": heading,
        "heading": heading,
        "to": _TO.get(document["kind"], "For"),
        "facts": facts,
        "note": _note(document, payments),
        "currency": currency,
        "rows": [[heading, money.grouped(document["amount"], currency)], *_payment_rows(payments, currency)],
        "total": ["Balance due" if _is_payable(document) else "Total", writing.amount(owed, currency)],
        "instructions": wording.instructions(settings) if document["balance"] and _is_payable(document) else [],
        "instructions-title": "How to pay",
        "foot": wording.foot(parties["company"] and parties["company"]["name"], heading),
    }


def day(document: Row) -> date:
    """When the PDF says that it was made: the day that the document bears."""
    return date.fromisoformat(document["issued_on"])


def _is_payable(document: Row) -> bool:
    """Whether it has, or had, something to pay: an offer, a draft and what is void have not."""
    is_offer = document["kind"] == SalesDocumentKind.QUOTE.value
    return not is_offer and document["status"] not in (SalesDocumentStatus.DRAFT.value, SalesDocumentStatus.VOID.value)


def _note(document: Row, payments: Sequence[Row]) -> str | None:
    what = document["kind"].lower()
    if document["status"] == SalesDocumentStatus.DRAFT.value:
        return f"Draft. This {what} is not final: nothing is to be paid for it yet."
    if document["status"] == SalesDocumentStatus.VOID.value:
        return f"Void. This {what} does not count: nothing is to be paid for it."
    if not _is_payable(document) or document["balance"]:
        return None
    last = max((payment["received_on"] for payment in payments), default=None)
    when = f" on {writing.day(date.fromisoformat(last))}" if last else ""
    return f"Paid in full{when}. Nothing is left to pay."


def _payment_rows(payments: Sequence[Row], currency: str) -> list[list[str]]:
    ordered = sorted(payments, key=lambda payment: (payment["received_on"], payment["id"]))
    before, shown = ordered[:-_MOST_PAYMENTS], ordered[-_MOST_PAYMENTS:]
    rows = [[_payment(payment), money.grouped(-payment["amount"], currency)] for payment in shown]
    if before:
        total = money.grouped(-sum(payment["amount"] for payment in before), currency)
        rows.insert(0, [f"{len(before):,} earlier payments", total])
    return rows


def _payment(payment: Row) -> str:
    received = writing.day(date.fromisoformat(payment["received_on"]))
    return f"Payment on {received}{how(payment['method'], payment['reference'])}"


def how(method: str | None, reference: str | None) -> str:
    """How a payment came, to follow the word: ` by check, 4711`."""
    way = f" {_METHODS[method]}" if method in _METHODS else ""
    return f"{way}, {reference}" if reference else way
