"""How large a document may be, and that it is told quickly, however the document is folded."""

from __future__ import annotations

from secrets import token_hex

import pytest
from graphql import SelectionSetNode

from schema import limits
from schema.limits import Limits
from tests.client import Client

pytestmark = pytest.mark.anyio

LEVELS = 30
MAX_ALIASES = Limits().aliases
MAX_DEPTH = Limits().depth


def chain(depth: int) -> str:
    """So many levels below a customer: its primary contact, their customer, and so on."""
    text = "id"
    for level in range(depth - 2, -1, -1):
        text = f"{'primaryContact' if level % 2 == 0 else 'customer'} {{ {text} }}"
    return text


def nested(depth: int) -> str:
    """A query of so many levels."""
    return f"{{ customers {{ edges {{ node {{ {chain(depth - 3)} }} }} }} }}"


async def test_a_query_may_be_twelve_levels_deep(client: Client) -> None:
    await client.run(nested(MAX_DEPTH))
    assert client.errors == []


async def test_and_no_deeper(client: Client) -> None:
    assert MAX_DEPTH == 12
    assert await client.run(nested(MAX_DEPTH + 1)) == {}
    assert client.codes == ["DEPTH_LIMIT"]
    assert client.errors[0]["message"] == "The query is 13 levels deep; 12 are allowed."


async def test_fragments_do_not_hide_depth(client: Client) -> None:
    text = "{ customers { edges { node { ...A } } } } fragment A on Customer { ... on Node { id } ...B }"
    await client.run(f"{text} fragment B on Customer {{ {chain(MAX_DEPTH + 1 - 3)} }}")
    assert client.codes == ["DEPTH_LIMIT"]
    assert client.errors[0]["message"] == "The query is 13 levels deep; 12 are allowed."


async def test_a_query_may_have_fifteen_aliases(client: Client) -> None:
    assert MAX_ALIASES == 15
    texts = [f"a{number}: viewer {{ permissions }}" for number in range(MAX_ALIASES + 1)]
    data = await client.run("{" + " ".join(texts[:-1]) + "}")
    assert len(data) == 15
    assert await client.run("{" + " ".join(texts) + "}") == {}
    assert client.codes == ["ALIAS_LIMIT"]
    assert client.errors[0]["message"] == "The query has 16 aliases; 15 are allowed."


async def test_fragments_do_not_hide_aliases(client: Client) -> None:
    await client.run(
        "{ ...F ...F viewer { ...G } } fragment F on Query { "
        + " ".join(f"a{number}: viewer {{ permissions }}" for number in range(7))
        + " } fragment G on Viewer { b: permissions c: permissions }"
    )
    assert client.errors[0]["message"] == "The query has 16 aliases; 15 are allowed."


async def test_each_operation_is_counted_by_itself(client: Client) -> None:
    aliases = " ".join(f"a{number}: viewer {{ permissions }}" for number in range(MAX_ALIASES))
    body = {"query": f"query a {{ {aliases} }} query b {{ {aliases} }}", "operationName": "b"}
    response = await client.http.post("/graphql", json=body)
    assert len(response.json()["data"]) == 15


async def test_a_document_may_have_two_thousand_tokens(client: Client) -> None:
    # Without the items it has twelve.
    text = "{{ nodes(ids: [{}]) {{ id }} }}"
    await client.run(text.format('"x" ' * (2000 - 12)))
    assert client.codes == ["BAD_PAGE"]
    await client.run(text.format('"x" ' * (2001 - 12)))
    assert client.codes == ["TOKEN_LIMIT"]
    assert "more than 2,000 tokens" in client.errors[0]["message"]


# How a fragment unfolds into the next one, twice each time.
FOLDS = {
    "spreads": "...{0} ...{0}",
    "inline": "... on Customer {{ ...{0} }} ... on Node {{ ...{0} }}",
    "fields": "primaryContact {{ customer {{ ...{0} }} }} primaryContact {{ customer {{ ...{0} }} }}",
    "aliases": "a: primaryContact {{ customer {{ ...{0} }} }} b: primaryContact {{ customer {{ ...{0} }} }}",
    "lists": "contacts {{ edges {{ node {{ customer {{ ...{0} }} }} }} }} primaryContact {{ customer {{ ...{0} }} }}",
}


# Where a fragment of a type may begin, and what the last one selects.
PLACES = {
    "Query": ("{ ...F0 }", "viewer { permissions }"),
    "CustomerConnection": ("{ customers(first: 1) { ...F0 } }", "edges { node { id } }"),
    "CustomerEdge": ("{ customers(first: 1) { edges { ...F0 } } }", "node { id }"),
    "Customer": ("{ customers(first: 1) { edges { node { ...F0 } } } }", "id"),
}


def bomb(fold: str, kind: str = "Customer") -> str:
    """A small document that is huge when its fragments are unfolded."""
    start, last = PLACES[kind]
    fragments = [f"fragment F{level} on {kind} {{ {fold.format(f'F{level + 1}')} }}" for level in range(LEVELS)]
    return " ".join([start, *fragments, f"fragment F{LEVELS} on {kind} {{ {last} }}"])


# For each way of folding, the limit that it meets first.
MET = {"fields": "DEPTH_LIMIT", "aliases": "DEPTH_LIMIT", "lists": "DEPTH_LIMIT"}


async def test_fragment_bombs_are_refused_after_one_walk(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = 0
    walk = limits._Counter._set

    def counted(self: limits._Counter, node: SelectionSetNode | None) -> limits.Size:
        nonlocal walked
        walked += 1
        return walk(self, node)

    monkeypatch.setattr(limits._Counter, "_set", counted)
    bombs = {name: bomb(fold) for name, fold in FOLDS.items()}
    bombs.update({kind: bomb(FOLDS["spreads"], kind) for kind in PLACES if kind != "Customer"})
    for name, document in bombs.items():
        walked = 0
        # The application remembers documents, also those that it refused.
        await client.run(f"{document} # {token_hex(8)}")
        assert client.codes == [MET.get(name, "FIELD_LIMIT")], name
        # Once through the document, and not 2 ** 30 times.
        assert 0 < walked <= 10 * LEVELS, name


CYCLES = (
    "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A viewer { permissions } }",
    "{ __typename } fragment A on Query { ...A }",
    # Below a field, counting what it unfolds into would not end.
    (
        "{ customers { ...A } } fragment A on CustomerConnection { edges { ...B } nodes { ...A } }"
        " fragment B on CustomerEdge { node { ... on Customer { contacts { ...A } } ...C } }"
        " fragment C on Node { ...C }"
    ),
)


async def test_fragments_that_spread_each_other_are_refused(client: Client) -> None:
    for text in CYCLES:
        await client.run(text)
        assert set(client.codes) == {"BAD_REQUEST"}
        assert "within itself" in client.errors[0]["message"]


async def test_fragments_that_nobody_spreads_are_measured_too(client: Client) -> None:
    await client.run("{ __typename } fragment A on Query { viewer { " + "actor { name } " * 100 + "} }")
    assert client.codes == ["REPEAT_LIMIT"]


async def test_bottomless_nesting_is_refused(client: Client) -> None:
    for text in ("[" * 900, "{a" * 300 + "}" * 300, "{..." * 180 + "{id}" + "}" * 180):
        for document in (text, f"{{ nodes(ids: {text}) {{ id }} }}"):
            await client.run(document)
            assert client.codes in (["BAD_REQUEST"], ["DEPTH_LIMIT"]), document[:20]
