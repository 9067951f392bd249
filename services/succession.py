"""Who takes the place of a contact that goes: what it was assigned for does not end unnoticed."""

from __future__ import annotations

from audit import Change
from models import Contact, ErrorCode, Fault, Row
from services import assignments
from services.levels import check_may_write


async def pass_on(change: Change, row: Row, held: list[Row], successor_id: str | None) -> None:
    """Move all that `row` is assigned for to the successor. Without one IN_USE names what that is.

    The customer is locked, and so is the successor.
    """
    if successor_id is None:
        named = await assignments.uses(change, held)
        raise Fault(
            ErrorCode.IN_USE,
            f"This contact is assigned: {named}. Name the active contact of this customer that takes over.",
            ("successor_id",),
        )
    others = await change.where(Contact, lock=False, customer_id=row["customer_id"], active=True)
    successor = next((other for other in others if other["id"] == successor_id != row["id"]), None)
    if successor is None:
        raise Fault.invalid("The successor must be another active contact of the same customer.", "successor_id")
    check_may_write(change, successor["location_id"])
    await assignments.hand_over(change, held, successor)
