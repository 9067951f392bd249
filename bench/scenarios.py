"""What is asked for: each scenario's operation, with the values that take turns in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import cursor
from bench.load import COUNTER, VALUE, Job
from bench.servers import CACHED, COUNTERFOIL, FLOOR, PLAIN, Server
from bench.stores import Stores

READERS = (COUNTERFOIL, FLOOR, PLAIN, CACHED)
WRITERS = (COUNTERFOIL, FLOOR)

_DOCUMENTS = (Path(__file__).parent / "operations.graphql").read_text()


@dataclass(frozen=True)
class Scenario:
    """One kind of request. `stores` are the databases that are compared, `variants` the servers."""

    name: str
    title: str
    operation: str
    variables: Mapping[str, Any]
    values: Mapping[str, Sequence[str]]
    stores: tuple[str, ...] = ("main",)
    variants: tuple[str, ...] = READERS
    writes: bool = False

    def job(self, server: Server, store: str, token: str, counter: int, seconds: float) -> Job:
        """The load for one server."""
        template: Any = self.variables
        path = f"/{self.operation}"
        if server.variant != FLOOR:
            template = {"query": document(self.operation), "operationName": self.operation, "variables": template}
            path = "/graphql"
        values = list(self.values[store])
        return Job(server.port, path, token, json.dumps(template), values, counter, seconds)


@cache
def document(operation: str) -> str:
    """The text of one operation."""
    found = re.search(rf"^(?:query|mutation) {operation}\b.*?^}}$", _DOCUMENTS, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(operation)
    return found[0]


def scenarios(stores: Stores) -> list[Scenario]:
    """All scenarios on the seeded databases."""
    chance = random.Random(2)
    return [*_lists(stores, chance), *_changes(stores, chance), *_histories(stores, chance)]


def _lists(stores: Stores, chance: random.Random) -> Iterator[Scenario]:
    keys = stores.rows("main", "SELECT name_key, id FROM customer ORDER BY name_key, id")
    places = chance.sample(keys[:-51], k=min(200, len(keys) - 51))
    cursors = {"main": [cursor.of_customer({"name_key": name_key, "id": row_id}) for name_key, row_id in places]}
    for name, title, size in (
        ("list", "50 customers, their contacts, the contacts' roles", 50),
        ("one", "1 customer, its contacts, their roles", 1),
    ):
        yield Scenario(name, title, "CustomerList", {"first": size, "after": VALUE}, cursors)


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
    }
    for name, operation, variables, values in (
        ("write", "CreateContact", {"input": contact}, ids["customer"]),
        ("update", "UpdateContact", {"id": VALUE, "title": f"Controller {COUNTER}"}, ids["contact"]),
    ):
        title = operation[0].lower() + operation[1:]
        yield Scenario(name, title, operation, variables, {"main": values}, variants=WRITERS, writes=True)


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


def _ids(stores: Stores, name: str, table: str) -> list[str]:
    return [row[0] for row in stores.rows(name, f"SELECT id FROM {table} ORDER BY id")]
