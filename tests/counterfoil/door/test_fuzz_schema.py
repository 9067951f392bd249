"""Operations that schemathesis makes of the schema: valid ones, whose values come as far as to the rules."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import graphql
import psutil
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.transport import Response
from schemathesis.graphql import nodes

import models
from counterfoil.api import build_schema
from tests.client import Client, administrator
from tests.counterfoil.door.fuzzing import GROWTH, assert_none_added, drawn, left_behind, many
from tests.counterfoil.log_lines import told
from tests.schema.examples import EXAMPLES

pytestmark = pytest.mark.anyio

FEW = 80

ODD = """\
0|-1|1e9|99999999999999999999|12.345|0.00|EUR|XXX|DE|de-DE|+49 30 123456|https://example.com/a?b=c|javascript:alert(1)|
eva@example.com|a\r\nBcc: b@example.com|{{ customer.name }}|{% for a in b %}|{{ 1/0 }}|<script>|\u202e|\ufeff|%00|a\tb|
' OR 1=1 --|\u1e9e|\U0001f600|  |J\u0301|2026-01|2026-02-30|cus_00000000000000000000000000"""
TEXTS = st.text(max_size=30) | st.sampled_from([*ODD.replace("|\n", "|").split("|"), "", "x" * 5000])
NUMBERS = st.sampled_from([1, 2, 3, 20, 100, 0, -1, 2**31 - 1, -(2**31)]) | st.integers(-(2**31), 2**31 - 1)
DATES = st.dates().map(str) | st.sampled_from(["0001-01-01", "9999-12-31", "2026-02-30", "today", ""])
TIMES = st.datetimes().map(lambda time: f"{time.isoformat()}Z") | st.sampled_from(
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "2026-01-31T24:00:00Z", "now"]
)
# Which identifiers an argument means, told by its name; for `id` by that of the operation.
PREFIXES = {
    "purpose": "pur",
    "salesdocument": "sdo",
    "contactrole": "rol",
    "userrole": "uro",
    "workflow": "rwf",
    "apikey": "key",
    "assign": "asg",
    "payment": "pay",
    "template": "tpl",
    "communication": "com",
    "delivery": "dlv",
    "document": "doc",
    "location": "loc",
    "note": "not",
    "customer": "cus",
    "merged": "cus",
    "subject": "cus",
    "contact": "con",
    "successor": "con",
    "email": "con",
    "user": "usr",
    "role": "rol",
}


class Filling(graphql.Visitor):
    """Puts identifiers of the right kind where schemathesis, which knows no kinds, has put any; not always.

    Of the arguments of a page, of which most combinations are refused at once, it leaves some out.
    """

    def __init__(self, operation: str, identifiers: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._operation = operation
        self._identifiers = identifiers

    def enter(self, node: graphql.Node, *_: Any) -> Any:
        """Replace the value of one argument, or of one field of an input."""
        if not isinstance(node, graphql.ArgumentNode | graphql.ObjectFieldNode):
            return None
        name = node.name.value
        chance = zlib.crc32(graphql.print_ast(node).encode())
        if name in ("before", "after", "last") and chance % 8:
            return graphql.REMOVE
        if not isinstance(node.value, graphql.StringValueNode) or not name.lower().endswith("id") or chance % 8 == 0:
            return None
        means = self._operation if name == "id" else name
        found = next((prefix for word, prefix in PREFIXES.items() if word in means.lower()), "cus")
        among = self._identifiers[found]
        return type(node)(name=node.name, value=graphql.StringValueNode(value=among[chance % len(among)]))


async def identifiers_of(database: models.Database) -> dict[str, list[str]]:
    """What there is, by prefix."""
    found = defaultdict(list)
    rows = await database.fetch(
        "SELECT DISTINCT subject_id FROM event WHERE subject_id IS NOT NULL ORDER BY subject_id"
    )
    for row in rows:
        found[row["subject_id"].partition("_")[0]].append(row["subject_id"])
    return found


def loaded(identifiers: Mapping[str, Sequence[str]]) -> Any:
    """The schema, with a strategy for each of its scalars."""
    every = [identifier for some in identifiers.values() for identifier in some]
    for name, strategy in (
        ("ID", (st.sampled_from(every) | st.text(max_size=8)).map(nodes.String)),
        ("String", TEXTS.map(nodes.String)),
        ("Int", NUMBERS.map(nodes.Int)),
        ("Date", DATES.map(nodes.String)),
        ("DateTime", TIMES.map(nodes.String)),
        ("JSON", (NUMBERS.map(nodes.Int)) | TEXTS.map(nodes.String)),
        # Files come in forms (test_fuzz.py).
        ("Upload", st.just(nodes.Null)),
    ):
        schemathesis.graphql.scalar(name, strategy)
    return schemathesis.graphql.from_dict(dict(graphql.introspection_from_schema(build_schema()._schema)))


class Sender:
    """Sends what schemathesis has made: as an administrator, and each tenth as nobody."""

    def __init__(self, client: Client, schema: Any, identifiers: Mapping[str, Sequence[str]]) -> None:
        self._client = client
        self._schema = schema
        self._identifiers = identifiers
        self._number = 0
        # How often each operation was answered with something.
        self.answered: Counter[str] = Counter()

    async def send(self, case: Any) -> None:
        """Send one case, and check its answer; schemathesis compares it with the schema."""
        filling = Filling(case.operation.definition.field_name, self._identifiers)
        document = graphql.print_ast(graphql.visit(graphql.parse(case.body), filling))
        self._number += 1
        client = self._client if self._number % 10 else Client()
        with told() as entries:
            data = await client.send(document, {})
        assert [entry for entry in entries if entry["log_level"] == "error"] == [], document
        assert client.response.status_code < 500, document
        assert "INTERNAL_ERROR" not in client.codes, document
        self._schema.validate_response(case.operation, Response.from_httpx(client.response, verify=False), case=case)
        self.answered[case.operation.label] += any(value is not None for value in data.values())
        if client is self._client and {"UNAUTHENTICATED", "FORBIDDEN"} & set(client.codes):
            # Signed out, or without permissions: that was one of the mutations.
            self._client = await administrator()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_the_schema_allows_is_answered_and_leaves_history_whole(
    client: Client, database: models.Database, request: pytest.FixtureRequest
) -> None:
    for make in EXAMPLES.values():
        await make(client)
    identifiers = await identifiers_of(database)
    schema = loaded(identifiers)
    operations = [found for root in ("Query", "Mutation") for found in schema[root].values()]
    count = many(request, FEW)
    cases = await drawn(st.sampled_from(operations).flatmap(lambda found: found.as_strategy()), count)
    sender = Sender(client, schema, identifiers)
    for case in cases[: count // 2]:
        await sender.send(case)
    before, resident = await left_behind(), psutil.Process().memory_info().rss
    for case in cases[count // 2 :]:
        await sender.send(case)
    await assert_none_added(before)
    assert psutil.Process().memory_info().rss - resident < GROWTH
    # Most are not refused before anything runs.
    assert sender.answered.total() > count // 2
    # The fixture of the database compares the fold of history with the tables, and verifies its hashes.
