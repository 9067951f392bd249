"""The path of sales documents as such: whatever is tried in whatever order, balance and status agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ErrorCode, Fault, SalesDocumentKind, SalesDocumentStatus
from services import sales_status

KINDS = st.sampled_from([kind.value for kind in SalesDocumentKind])
AMOUNTS = st.integers(min_value=-5, max_value=60)
# Payments that are taken back are named by their place among those that there are.
STEPS = st.one_of(
    st.sampled_from(["release", "post", "void"]),
    st.tuples(st.just("pay"), AMOUNTS),
    st.tuples(st.just("take back"), st.integers(min_value=0, max_value=5)),
)


def step(row: dict[str, Any], payments: list[int], wanted: Any) -> None:
    """Do to a document what the services do; a Fault leaves it as it was."""
    match wanted:
        case "release":
            row.update(sales_status.released(row))
        case "post":
            row.update(sales_status.posted(row))
        case "void":
            row.update(sales_status.voided(row, paid=bool(payments)))
        case "pay", amount:
            row.update(sales_status.with_payment(row, amount))
            payments.append(amount)
        case "take back", place if place < len(payments):
            row.update(sales_status.without_payment(row, payments.pop(place)))


@given(kind=KINDS, amount=st.integers(min_value=0, max_value=100), steps=st.lists(STEPS, max_size=25))
def test_the_balance_is_the_amount_without_the_payments(kind: str, amount: int, steps: list[Any]) -> None:
    balance = sales_status.balance_of(kind, amount)
    row = {"kind": kind, "status": "DRAFT", "amount": amount, "balance": balance, "currency": "EUR"}
    payments: list[int] = []
    for wanted in steps:
        before = dict(row), list(payments)
        refused = None
        try:
            step(row, payments, wanted)
        except Fault as fault:
            refused = fault
        if refused is not None:
            assert refused.code in (ErrorCode.WRONG_STATUS, ErrorCode.INVALID)
            assert (row, payments) == before
        check(row, payments)


def check(row: dict[str, Any], payments: list[int]) -> None:
    """What the database checks, and that the balance is right."""
    kind, status = row["kind"], SalesDocumentStatus(row["status"])
    assert all(payment > 0 for payment in payments)
    if kind == "QUOTE" or status is SalesDocumentStatus.VOID:
        assert (row["balance"], payments) == (0, [])
    else:
        assert row["balance"] == row["amount"] - sum(payments) >= 0
    if status is SalesDocumentStatus.DRAFT:
        assert payments == []
    settled = row["balance"] == 0 and status in (SalesDocumentStatus.POSTED, SalesDocumentStatus.PAID)
    assert (status is SalesDocumentStatus.PAID) is (kind == "INVOICE" and settled)
    assert (
        status.value
        in {
            "QUOTE": {"DRAFT", "RELEASED", "VOID"},
            "ORDER": {"DRAFT", "RELEASED", "POSTED", "VOID"},
            "INVOICE": {"DRAFT", "POSTED", "PAID", "VOID"},
        }[kind]
    )


@pytest.mark.parametrize("kind", ["QUOTE", "ORDER", "INVOICE"])
def test_every_way_ends(kind: str) -> None:
    row = {"kind": kind, "status": "DRAFT", "amount": 5, "balance": 5, "currency": "EUR"}
    row.update(sales_status.voided(row, paid=False))
    for wanted in ("release", "post", "void", ("pay", 5)):
        with pytest.raises(Fault):
            step(row, [], wanted)
