"""What is asked for: each scenario's operation, with the values that take turns in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import cursor, mail, names
from bench.batches import BATCHES
from bench.load import CONNECTIONS, COUNTER, VALUE, Job
from bench.servers import CACHED, COUNTERFOIL, FLOOR, PLAIN, Server
from bench.stores import Stores

READERS = (COUNTERFOIL, FLOOR, PLAIN, CACHED)
BY_HAND = (COUNTERFOIL, FLOOR)

_DOCUMENTS = (Path(__file__).parent / "operations.graphql").read_text()


@dataclass(frozen=True)
class Scenario:
    """One kind of request. `stores` are the databases that are compared, `variants` the servers.

    With one of `connections` the time of a request is that of its answer alone, with more also that of waiting.
    """

    name: str
    title: str
    operation: str
    variables: Mapping[str, Any]
    values: Mapping[str, Sequence[str]]
    stores: tuple[str, ...] = ("main",)
    variants: tuple[str, ...] = READERS
    writes: bool = False
    connections: int = CONNECTIONS

    @property
    def servers(self) -> tuple[Any, ...]:
        """What scenarios have in common that can be measured on the same servers."""
        return self.stores, self.variants, self.writes

    def job(self, server: Server, store: str, token: str, counter: int, seconds: float) -> Job:
        """The load for one server."""
        template: Any = self.variables
        path = f"/{self.operation}"
        if server.variant != FLOOR:
            template = {"query": document(self.operation), "operationName": self.operation, "variables": template}
            path = "/graphql"
        values = list(self.values[store])
        return Job(server.port, path, token, json.dumps(template), values, counter, seconds, self.connections)


@cache
def document(operation: str) -> str:
    """The text of one operation."""
    found = re.search(rf"^(?:query|mutation) {operation}\b.*?^}}$", _DOCUMENTS, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(operation)
    return found[0]


def stores_of(only: str | None) -> set[str]:
    """The names of the databases that the scenario or the batch uses; of all without a name."""
    used = {store for group in _GROUPS if only is None or only in group.names for store in group.stores}
    used |= {batch.store for batch in BATCHES if only in (None, batch.name)}
    return used | ({"main"} if only in (None, mail.NAME, "attacks") else set())


def scenarios(stores: Stores, only: str | None = None) -> list[Scenario]:
    """The scenario of that name on the seeded databases; all without a name."""
    wanted = [group for group in _GROUPS if only is None or only in group.names]
    found = [scenario for group in wanted for scenario in group.make(stores, random.Random(2))]
    return [scenario for scenario in found if only is None or scenario.name == only]


def _lists(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    keys = stores.rows("main", "SELECT name_key, id FROM customer ORDER BY name_key, id")
    places = chance.sample(keys[:-51], k=min(200, len(keys) - 51))
    cursors = {"main": [cursor.of_customer({"name_key": name_key, "id": row_id}) for name_key, row_id in places]}
    for name, title, size in (
        ("list", "50 customers, their contacts, the contacts' roles", 50),
        ("one", "1 customer, its contacts, their roles", 1),
    ):
        yield Scenario(name, title, "CustomerList", {"first": size, "after": VALUE}, cursors)


def _profiles(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    ids = _ids(stores, "main", "customer")
    values = {"main": chance.sample(ids, k=min(200, len(ids)))}
    yield Scenario("profile", "every tab of one customer's profile", "Profile", {"id": VALUE}, values, variants=BY_HAND)


def _searches(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    emails = [row[0] for row in stores.rows("main", "SELECT email FROM contact ORDER BY id")]
    for name, title, values in (
        ("search-rare", "the one contact with an email address", chance.sample(emails, k=min(200, len(emails)))),
        ("search-frequent", "20 of the contacts with a first name", names.FIRST_NAMES),
    ):
        variables = {"search": VALUE, "first": 20}
        yield Scenario(name, title, "ContactSearch", variables, {"main": values}, variants=BY_HAND, connections=1)


def _changes(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    ids = {name: _ids(stores, "main", name) for name in ("customer", "contact")}
    for some in ids.values():
        chance.shuffle(some)
    [[role]] = stores.rows("main", "SELECT id FROM contact_role WHERE name = 'Billing'")
    contact = {
        "customerId": VALUE,
        "roleId": role,
        "firstName": "Eva",
        "lastName": f"Quist {COUNTER}",
        "methods": [
            {"kind": "EMAIL", "value": f"eva.{COUNTER}@example.com"},
            {"kind": "PHONE", "value": "+1 415 555 0101"},
        ],
        # The endpoint by hand writes no emails.
        "doNotSendWelcome": True,
    }
    for name, operation, variables, values in (
        ("write", "CreateContact", {"input": contact}, ids["customer"]),
        ("update", "UpdateContact", {"id": VALUE, "title": f"Controller {COUNTER}"}, ids["contact"]),
    ):
        title = operation[0].lower() + operation[1:]
        yield Scenario(name, title, operation, variables, {"main": values}, variants=BY_HAND, writes=True)


def _histories(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    both = ("short", "long")
    everything = {name: [""] for name in both}
    ids = {name: _ids(stores, name, "customer") for name in both}
    viewed = {name: chance.sample(some, k=min(100, len(some))) for name, some in ids.items()}
    yield Scenario(
        "history", "the newest 50 events of everything", "AuditTrail", {"first": 50}, everything, stores=both
    )
    variables = {"id": VALUE, "first": 50}
    yield Scenario(
        "history-view", "the newest 50 events of one customer", "HistoryView", variables, viewed, stores=both
    )


def _doors(_stores: Stores, _chance: random.Random) -> Iterator[Scenario]:
    title = "`{ __typename }`: what remains is the way in and out"
    yield Scenario("door", title, "Door", {}, {"main": [""]}, variants=BY_HAND, connections=1)


def _ids(stores: Stores, name: str, table: str) -> list[str]:
    return [row[0] for row in stores.rows(name, f"SELECT id FROM {table} ORDER BY id")]


@dataclass(frozen=True)
class _Group:
    """Scenarios that are made together, with the databases that they use."""

    names: tuple[str, ...]
    make: Callable[[Stores, random.Random], Iterator[Scenario]]
    stores: tuple[str, ...] = ("main",)


_GROUPS = (
    _Group(("list", "one"), _lists),
    _Group(("profile",), _profiles),
    _Group(("search-rare", "search-frequent"), _searches),
    _Group(("write", "update"), _changes),
    _Group(("history", "history-view"), _histories, ("short", "long")),
    _Group(("door",), _doors),
)
