"""The short way of values gives the same answers as graphql-core's."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, execute_sync, parse

from models import clock
from schema.execution import LEAVES, Leaf, RowExecution
from tests.client import Client
from tests.schema.test_statement_counts import QUERIES, without_cost
from tests.schema.world import World

SCHEMA = build_schema("type Query { name: String! number: Int colour: Colour again: Query } enum Colour { RED }")
DOCUMENT = parse("{ first: name again { number } name @include(if: true) number colour left: number @skip(if: true) }")


def leaf(name: str, *, nullable: bool) -> Leaf:
    kind: Any = SCHEMA.query_type and SCHEMA.query_type.fields[name].type
    return Leaf(lambda row: row[name], getattr(kind, "of_type", kind).coerce_output_value, nullable)


assert SCHEMA.query_type is not None
SCHEMA.query_type.extensions[LEAVES] = {
    "name": leaf("name", nullable=False),
    "number": leaf("number", nullable=True),
    "colour": leaf("colour", nullable=True),
}
WHOLE = {"name": "Ada", "number": 3, "colour": "RED"}


@pytest.mark.parametrize(
    "row",
    [
        {**WHOLE, "again": WHOLE},
        {**WHOLE, "again": None},
        {**WHOLE, "number": None, "colour": None, "again": WHOLE},
        {**WHOLE, "name": None, "again": WHOLE},
        {**WHOLE, "number": "three", "again": {**WHOLE, "number": 2**40}},
        {**WHOLE, "colour": "GREEN", "again": None},
        {**WHOLE, "again": {"name": "without the others"}},
    ],
)
def test_what_is_wrong_with_a_value_is_told_by_graphql_core(row: dict[str, Any]) -> None:
    short = execute_sync(SCHEMA, DOCUMENT, row, executor_class=RowExecution)
    long = execute_sync(SCHEMA, DOCUMENT, row)
    assert short.formatted == long.formatted
    assert str(short.data) == str(long.data), "another order"


@pytest.mark.anyio
async def test_every_list_is_answered_alike(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.user is not None
    await World(client.user).grow(2, 2)
    roomy = without_cost(client)

    async def answers() -> dict[str, str]:
        texts = {}
        for name, text in QUERIES.items():
            await roomy.run(text)
            assert roomy.errors == [], name
            texts[name] = roomy.response.text
        return texts

    now = clock.now()
    # Addresses of downloads are signed with the time.
    with clock.set_to(lambda: now):
        short = await answers()
        monkeypatch.delattr(RowExecution, "execute_fields")
        assert short == await answers()
