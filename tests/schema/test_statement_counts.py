"""How many SQL statements a query costs depends on its shape, never on its rows: tried for every list of the schema."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

import models
from audit import SYSTEM, Change, Request, transact
from models import Permission, Row
from services import api_keys, contact_roles, contacts, customers, locations, notes, user_roles, users
from tests.client import Client, observed
from tests.schema.documents import (
    MUTATION,
    QUERY,
    SCHEMA,
    can_be_omitted,
    is_connection,
    is_list,
    leaves,
    object_type,
    objects,
)

pytestmark = pytest.mark.anyio

# Lists that no query reaches without an argument, and where they are tried instead.
TRIED_BELOW = {
    "Query.nodes": "test_objects_by_their_ids",
    "SetContactRolesPayload.contacts": "test_what_a_mutation_of_many_answers",
    "Payload.events": "test_what_a_mutation_of_many_answers",
}

Way = tuple[tuple[str, GraphQLField], ...]


class World:
    """Customers, each with locations, contacts, notes; roles, users and API keys: at first one or two of each."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}
        self._grown = 0

    async def grow(self, parents: int, children: int) -> None:
        """Add so many customers with so many of each, then change one object of each type."""
        self._grown += 1
        self._number = 0

        async def work(change: Change) -> None:
            self._number = 0
            made: dict[str, list[str]] = {}
            for _ in range(parents):
                await self._customer(change, children, made)
            await self._others(change, children, made)
            await self._touch(change, made)
            self.ids = made

        await transact(SYSTEM, Request.new(), work)

    def _name(self, what: str) -> str:
        self._number += 1
        return f"{what} {self._grown}.{self._number}"

    async def _customer(self, change: Change, children: int, made: dict[str, list[str]]) -> None:
        def keep(row: Row) -> str:
            made.setdefault(row["id"][:3], []).append(row["id"])
            return str(row["id"])

        origin = {"origin_system": "QUICKBOOKS_ONLINE", "origin_external_id": self._name("Q")}
        facts = {**origin, "accounting": {"currency": "EUR"}, "email": f"{self._grown}.{self._number}@example.com"}
        customer = keep(await customers.create(change, {"name": self._name("Customer"), **facts}))
        for _ in range(children):
            place = keep(await locations.create(change, {"customer_id": customer, "name": self._name("Place")}))
            role = keep(await contact_roles.create(change, {"name": self._name("Role")})) if children == 1 else None
            at = {"customer_id": customer, "last_name": self._name("Person"), "role_id": role or made["rol"][0]}
            person = keep(await contacts.create(change, {**at, "location_id": place}))
            keep(await notes.create(change, {"subject_id": person, "body": self._name("Called")}))
            keep(await notes.create(change, {"subject_id": customer, "body": self._name("Paid")}))
