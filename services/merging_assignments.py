"""What the contacts of a customer that is merged into another are assigned for."""

from __future__ import annotations

from audit import Change
from models import Assignment, Purpose, Row

TABLE = Assignment


async def move(change: Change, survivor: Row, merged: Row) -> None:
    """Move the merged customer's assignments. Where both have the holder of a single purpose, the survivor's stays."""
    single = {purpose["id"] for purpose in await change.where(Purpose, lock=False, single=True)}
    own = await change.where(Assignment, customer_id=survivor["id"])
    rows = await change.where(Assignment, unreferred=True, customer_id=merged["id"])
    held = {_place(row) for row in own if row["purpose_id"] in single}
    await change.delete_all(Assignment, [row for row in rows if _place(row) in held])
    moved = [row for row in rows if _place(row) not in held]
    await change.update_all(Assignment, moved, {"customer_id": survivor["id"]})


def _place(row: Row) -> tuple[str, str]:
    return row["purpose_id"], row["reference_key"]
