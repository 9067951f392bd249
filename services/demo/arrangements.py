"""What the demo's office arranges: who it is, groups of companies, reminders, how customers may pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import ContactPolicy, PaymentResponsibility
from services import customers, preferences, reminder_workflows
from services.demo import texts
from services.demo.desk import Desk

# Name → days around the due date; the last reminder brings the customer's statement.
_WORKFLOWS = {"Standard": (-3, 1, 7, 14), "Strict": (-7, 0, 3, 7, 10), "Key accounts": (14, 30)}

# What a customer asks for, or the office decides, and why.
_WISHES: tuple[tuple[Mapping[str, Any], str | None], ...] = (
    ({"monthly_statement": True}, "Wants a statement each month"),
    ({"card": {"enabled": True, "surcharge": "2.50"}}, "Asked to pay by card"),
    ({"card": {"enabled": True, "surcharge": "0"}}, "Surcharge waived by the AR manager"),
    ({"ach": {"enabled": True, "discount": "1.00"}}, "Discount for bank transfers agreed"),
    ({"online_payments": {"enabled": False}}, "Disputes: pays by check for now"),
    ({"contact_policy": ContactPolicy.REQUIRED}, "Wants to know who ordered"),
    ({"contact_policy": ContactPolicy.REQUIRED_WITH_PASSWORD}, "Somebody ordered in their name"),
    ({"reminders": {"workflow_id": None}}, "Key account: the manager calls"),
    ({"customer_portal": False}, None),
)


async def introduce_company(desk: Desk) -> None:
    """Emails and PDFs say who writes."""
    await desk.manager.act(lambda change: preferences.update_settings(change, None, texts.COMPANY))


async def set_up_reminders(desk: Desk) -> None:
    """Reminder workflows, the first of them for all customers."""

    async def work(change: Change) -> None:
        made = [
            await reminder_workflows.create(
                change, {"name": name, "steps": [{"days": day, "attach_statement": day == days[-1]} for day in days]}
            )
            for name, days in _WORKFLOWS.items()
        ]
        everywhere = {"reminders": {"workflow_id": made[0]["id"]}}
        await preferences.update_settings(change, None, everywhere)

    await desk.manager.act(work)


async def allow_cards(desk: Desk) -> None:
    """All customers can pay by card from now on."""
    everywhere = {"card": {"enabled": True, "surcharge": "2.90"}, "monthly_statement": True}
    await desk.manager.act(
        lambda change: preferences.update_settings(change, None, everywhere), "Contract with the card company"
    )


async def join_groups(desk: Desk) -> None:
    """Some companies belong to others, who pay for them or not."""
    companies = [one for one, made_up in desk.profiles.items() if made_up.is_company]
    chosen = desk.fiction.random.sample(companies, 12)

    async def work(change: Change) -> None:
        for start in range(0, len(chosen), 4):
            group, *below, deepest = chosen[start : start + 4]
            top = PaymentResponsibility.TOP_LEVEL_PARENT
            for customer_id in below:
                given = {"parent_id": group, "payment_responsibility": PaymentResponsibility.IMMEDIATE_PARENT}
                await customers.update(change, customer_id, None, given)
            below_others = {"parent_id": below[-1], "payment_responsibility": top}
            await customers.update(change, deepest, None, below_others)

    await desk.manager.act(work, "Groups as their registers have them")


async def agree(desk: Desk) -> None:
    """A customer gets something else than all others."""
    wish, reason = desk.fiction.random.choice(_WISHES)
    customer_id = desk.company()
    await desk.manager.act(lambda change: preferences.override(change, customer_id, None, wish), reason)
