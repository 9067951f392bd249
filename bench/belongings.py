"""What belongs to a customer in a seeded database, beside its contacts: a few rows for each tab of the profile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit import Change
from models import Assignment, Document, Location, Note, Payment, Preferences, Purpose, ReminderWorkflow, SalesDocument
from models.preference_values import steps_of
from models.preferences import preferences_id

_WORKFLOWS = {"Friendly": [-3, 0, 7], "Strict": [0, 3, 7, 14]}
_NOTES = (
    "Pays at the end of the month, whatever the invoice says. Call before the second reminder.",
    "Asked for one invoice a month instead of one for each delivery.",
    "Speaks to the owner only when the amount is above a thousand.",
)
_FILES = (("Contract.pdf", "application/pdf"), ("Price list.csv", "text/csv"))
# Kind, status, how much of the amount has been paid.
_SALES = (("INVOICE", "POSTED", 0.25), ("INVOICE", "PAID", 1.0), ("ORDER", "RELEASED", 0.0), ("QUOTE", "DRAFT", 0.0))
# Customers take turns in what they override.
_OVERRIDES: tuple[Mapping[str, Any] | None, ...] = (
    None,
    {"card": {"enabled": True, "surcharge_basis_points": 250}, "monthly_statement": True},
    {"online_payments": {"enabled": False, "disabled_until": None}, "contact_policy": "REQUIRED"},
)


@dataclass(frozen=True)
class Choices:
    """What all customers choose from: ids of purposes and reminder workflows."""

    purposes: Sequence[str]
    workflows: Sequence[str]


async def choices(change: Change) -> Choices:
    """The purposes that exist from the start, and reminder workflows, which are made when they are not there."""
    workflows = await change.where(ReminderWorkflow)
    if not workflows:
        workflows = [
            await change.insert(ReminderWorkflow, {"name": name, "steps": steps_of(days)})
            for name, days in _WORKFLOWS.items()
        ]
    purposes = await change.where(Purpose)
    return Choices([row["id"] for row in purposes], [row["id"] for row in workflows])


async def add_locations(change: Change, customer_id: str, address: Mapping[str, Any]) -> list[str]:
    """Two locations; their ids."""
    named = [{"customer_id": customer_id, "name": name, "address": address} for name in ("Head office", "Warehouse")]
    return [(await change.insert(Location, values))["id"] for values in named]


async def add(change: Change, number: int, customer_id: str, contact_ids: Sequence[str], chosen: Choices) -> None:
    """Notes, documents, sales documents, an assignment, and for two customers of three overrides of preferences."""
    await _notes(change, customer_id, contact_ids)
    await _documents(change, number, customer_id)
    await _sales(change, number, customer_id, contact_ids)
    purpose_id = chosen.purposes[number % len(chosen.purposes)]
    reference = {"reference_type": "job", "reference_id": f"J-{number}", "reference_label": f"Job {number}"}
    assigned = {"customer_id": customer_id, "contact_id": contact_ids[-1], "purpose_id": purpose_id}
    await change.insert(Assignment, {**assigned, **reference})
    overridden = _OVERRIDES[number % len(_OVERRIDES)]
    if overridden is not None:
        workflow_id = chosen.workflows[number % len(chosen.workflows)]
        own = {"id": preferences_id(customer_id), "customer_id": customer_id, "reminder_workflow_id": workflow_id}
        await change.insert(Preferences, {**own, **overridden})


async def _notes(change: Change, customer_id: str, contact_ids: Sequence[str]) -> None:
    for place, body in enumerate(_NOTES):
        about = {"customer_id": customer_id, "contact_id": contact_ids[place] if place else None}
        await change.insert(Note, {**about, "body": body, "pinned": place == 0, **_by(change, "author")})


async def _documents(change: Change, number: int, customer_id: str) -> None:
    for name, media_type in _FILES:
        facts = {"name": name, "size": 1_000 + number, "media_type": media_type}
        sha256 = hashlib.sha256(f"{number} {name}".encode()).hexdigest()
        await change.insert(
            Document, {"customer_id": customer_id, **facts, "sha256": sha256, **_by(change, "uploader")}
        )


async def _sales(change: Change, number: int, customer_id: str, contact_ids: Sequence[str]) -> None:
    for place, (kind, status, share) in enumerate(_SALES):
        amount = 10_000 + number * 10 + place
        paid = int(amount * share)
        issued_on = (change.now + timedelta(days=place)).date()
        document = await change.insert(
            SalesDocument,
            {
                "customer_id": customer_id,
                "contact_id": contact_ids[place],
                "contact_verified": False,
                "kind": kind,
                "number": f"{kind[0]}-{number * len(_SALES) + place}",
                "status": status,
                "issued_on": issued_on.isoformat(),
                "due_on": (issued_on + timedelta(days=30)).isoformat(),
                "currency": "EUR",
                "amount": amount,
                "balance": 0 if kind == "QUOTE" else amount - paid,
                "released_at": change.now if status == "RELEASED" else None,
                "posted_at": change.now if kind == "INVOICE" else None,
            },
        )
        if paid:
            received = {"amount": paid, "currency": "EUR", "received_on": issued_on.isoformat(), "method": "TRANSFER"}
            of = {"sales_document_id": document["id"], "customer_id": customer_id}
            await change.insert(Payment, {**of, **received})


def _by(change: Change, role: str) -> dict[str, Any]:
    """The columns that keep who wrote or uploaded something."""
    actor = change.actor
    return {f"{role}_kind": actor.kind.value, f"{role}_id": actor.id, f"{role}_name": actor.name}
