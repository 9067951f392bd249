"""The locations of a customer that is merged into another: they move, under other names or into the other's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import ErrorCode, Fault, Location, Row, text
from models.registry import AUDITED
from models.table import references
from services import values

TABLE = Location


async def move(change: Change, survivor: Row, merged: Row, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Move the merged customer's locations. Each of `wanted` has `location_id` and either its new `name` or `into_id`,
    the survivor's location that takes its place. TAKEN when both customers still have locations of one name.
    """
    own = {row["id"]: row for row in await change.where(Location, customer_id=survivor["id"])}
    rows = {row["id"]: row for row in await change.where(Location, unreferred=True, customer_id=merged["id"])}
    names, places = _wishes(rows, own, wanted)
    _refuse_clashes(own, rows, names, places)
    for identifier, into_id in places.items():
        await _combine(change, rows.pop(identifier), into_id)
    for identifier, name in names.items():
        await change.update(Location, rows.pop(identifier), {"customer_id": survivor["id"], "name": name})
    await change.update_all(Location, list(rows.values()), {"customer_id": survivor["id"]})


def _wishes(
    rows: Mapping[str, Row], own: Mapping[str, Row], wanted: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, str], dict[str, str]]:
    """New names, and the survivor's locations to go into, by location."""
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for index, wish in enumerate(wanted):
        field = ("locations", index)
        identifier, name, into_id = wish["location_id"], wish.get("name"), wish.get("into_id")
        if identifier not in rows:
            raise Fault.invalid("The merged customer has no location with this ID.", *field, "location_id")
        if identifier in names or identifier in places:
            raise Fault.invalid("This location is in the list already.", *field, "location_id")
        if (name is None) == (into_id is None):
            raise Fault.invalid("Give the location another name, or say into which one it goes.", *field, "name")
        if name is not None:
            names[identifier] = values.line(name, (*field, "name"))
        elif into_id is not None and into_id in own:
            places[identifier] = into_id
        else:
            raise Fault.invalid("The surviving customer has no location with this ID.", *field, "into_id")
    return names, places


def _refuse_clashes(
    own: Mapping[str, Row], rows: Mapping[str, Row], names: Mapping[str, str], places: Mapping[str, str]
) -> None:
    there = {row["name_key"] for row in own.values()}
    clashes = []
    for identifier, row in rows.items():
        if identifier in places:
            continue
        name = names.get(identifier, row["name"])
        if text.key(name) in there:
            clashes.append(f"{name} ({identifier})")
        there.add(text.key(name))
    if clashes:
        message = (
            f"There would be two locations of one name: {', '.join(clashes)}. For each, give in locations another name"
            " or the surviving customer's location that it goes into."
        )
        raise Fault(ErrorCode.TAKEN, message, ("locations",))


async def _combine(change: Change, row: Row, into_id: str) -> None:
    """Let all that is at the location be at the other one, and remove it."""
    for table in AUDITED:
        for column, target in references(table).items():
            if target is Location:
                there = await change.where(table, unreferred=True, **{column: row["id"]})
                await change.update_all(table, there, {column: into_id})
    await change.delete(Location, row)
