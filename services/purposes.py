"""What may happen to purposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Assignment, ErrorCode, Fault, Purpose, Row
from models.purpose import PURPOSE_LIMIT
from services import values

_LOCK = "purpose"


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a purpose of one's own, up to the limit of 100."""
    fields = {"name": _name(given.get("name")), "single": bool(given.get("single"))}
    await change.lock(_LOCK)
    if await change.count(Purpose) >= PURPOSE_LIMIT:
        raise Fault(
            ErrorCode.LIMIT_REACHED, f"There are {PURPOSE_LIMIT} purposes already, the most there can be: delete one."
        )
    return await change.insert(Purpose, fields)


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Rename a purpose. Whether it is single stays: there may be several assigned already."""
    row = await change.get(Purpose, identifier, expected_revision)
    return await change.update(Purpose, row, {"name": _name(given["name"])} if "name" in given else {})


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a purpose of one's own that nobody is assigned for."""
    row = await change.get(Purpose, identifier, expected_revision, to_delete=True)
    if row["well_known"] is not None:
        raise Fault(
            ErrorCode.READ_ONLY, "This purpose exists from the start and cannot be deleted; rename it.", ("id",)
        )
    number = await change.count(Assignment, purpose_id=identifier)
    if number:
        said = "1 contact is" if number == 1 else f"{number} contacts are"
        raise Fault(ErrorCode.IN_USE, f"{said} assigned for this purpose: end that first.", ("id",))
    await change.delete(Purpose, row)


def _name(value: str | None) -> str:
    if value is None:
        raise Fault.invalid("Name is required: it cannot be null.", "name")
    return values.line(value, ("name",), longest=100)
