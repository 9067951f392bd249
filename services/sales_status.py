"""How far sales documents come: which step leads from which status to which, and what payments do to a balance.

Pure functions of a document's columns; the services apply what they return.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import ErrorCode, Fault, SalesDocumentKind, SalesDocumentStatus, money

_Kind, _Status = SalesDocumentKind, SalesDocumentStatus
Fields = dict[str, Any]

_RELEASE = {
    (_Kind.QUOTE, _Status.DRAFT): _Status.RELEASED,
    (_Kind.ORDER, _Status.DRAFT): _Status.RELEASED,
}
_POST = {
    (_Kind.ORDER, _Status.RELEASED): _Status.POSTED,
    (_Kind.INVOICE, _Status.DRAFT): _Status.POSTED,
}
_PAYABLE = {(_Kind.ORDER, _Status.RELEASED), (_Kind.INVOICE, _Status.POSTED)}


def balance_of(kind: str, amount: int) -> int:
    """What is to be paid of a document without payments: a quote is only an offer."""
    return 0 if kind == _Kind.QUOTE.value else amount


def released(row: Mapping[str, Any]) -> Fields:
    """The columns of a released quote or order. Fault WRONG_STATUS."""
    status = _RELEASE.get(_place(row))
    if status is None:
        raise _wrong(row, "released: only drafts of quotes and orders are")
    return {"status": status.value}


def posted(row: Mapping[str, Any]) -> Fields:
    """The columns of a posted order or invoice; an invoice without balance is paid at once. Fault WRONG_STATUS."""
    status = _POST.get(_place(row))
    if status is None:
        raise _wrong(row, "posted: only released orders and drafts of invoices are")
    return {"status": _settled(row["kind"], status.value, row["balance"])}


def voided(row: Mapping[str, Any], *, paid: bool) -> Fields:
    """The columns of a void document; `paid` says that it has payments. Fault WRONG_STATUS."""
    if row["status"] == _Status.VOID.value:
        raise _wrong(row, "voided again")
    if paid:
        raise _wrong(row, "voided: it has payments. Delete them first")
    return {"status": _Status.VOID.value, "balance": 0}


def check_payable(row: Mapping[str, Any], field: tuple[str, ...] = ("id",)) -> None:
    """Fault WRONG_STATUS unless the document may receive payments."""
    if _place(row) not in _PAYABLE:
        raise _wrong(row, "paid: only released orders and posted invoices receive payments", field)


def with_payment(
    row: Mapping[str, Any], amount: int, field: tuple[str, ...] = ("id",), *, tells_balance: bool = True
) -> Fields:
    """The columns after a payment of so many minor units. Fault WRONG_STATUS, or INVALID at `amount`.

    With `tells_balance` the message says what is left.
    """
    check_payable(row, field)
    if amount <= 0:
        raise Fault.invalid("A payment is more than 0.", "amount")
    if amount > row["balance"]:
        left = f": {money.text(row['balance'], row['currency'])} are left" if tells_balance else ""
        raise Fault.invalid(f"A payment is not more than the balance{left}.", "amount")
    balance = row["balance"] - amount
    return {"balance": balance, "status": _settled(row["kind"], row["status"], balance)}


def without_payment(row: Mapping[str, Any], amount: int) -> Fields:
    """The columns when a payment of so many minor units is not there any more."""
    status = _Status.POSTED.value if row["status"] == _Status.PAID.value else row["status"]
    return {"balance": row["balance"] + amount, "status": status}


def _settled(kind: str, status: str, balance: int) -> str:
    return _Status.PAID.value if kind == _Kind.INVOICE.value and balance == 0 else status


def _place(row: Mapping[str, Any]) -> tuple[SalesDocumentKind, SalesDocumentStatus]:
    return _Kind(row["kind"]), _Status(row["status"])


def _wrong(row: Mapping[str, Any], what: str, field: tuple[str, ...] = ("id",)) -> Fault:
    message = f"This {row['kind'].lower()} is {row['status']} and cannot be {what}."
    return Fault(ErrorCode.WRONG_STATUS, message, field)
