"""Idempotency-Key: a repeated mutation is answered again and done once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from models import Permission, clock
from models.identifier import new_id
from tests import factories
from tests.client import PASSWORD, Client, ClientWith, set_password
from tests.resolvers.documents import (
    CREATE_CONTACT,
    CREATE_CONTACT_ROLE,
    CREATE_CUSTOMER,
    DELETE_CONTACT,
    DELETE_CONTACT_ROLE,
    SET_CONTACT_ROLES,
    UPDATE_CUSTOMER,
    UPDATE_USER,
)
from tests.resolvers.stubs import nothing_recorded

pytestmark = pytest.mark.anyio

TWO = """mutation ($name: String!) {
  a: createCustomer(input: {name: $name}) { customer { id } errors { code } }
  b: createCustomer(input: {name: $name}) { customer { id } errors { code } }
}"""
COUNT = "{ customers { totalCount } }"


async def keyed(client: Client, key: str, document: str, **variables: Any) -> dict[str, Any]:
    """The payload of a document's only mutation, sent with the key."""
    data = await client.send(document, variables, {"idempotency-key": key})
    assert client.errors == []
    [payload] = data.values()
    assert isinstance(payload, dict)
    return payload


async def customers(client: Client) -> int:
    return int((await client.run(COUNT))["customers"]["totalCount"])


async def test_a_repeat_is_answered_the_same_and_done_once(client: Client) -> None:
    first = await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"})
    assert first["errors"] == []
    async with nothing_recorded():
        assert await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"}) == first
    assert await customers(client) == 1
    second = await keyed(client, "another", CREATE_CUSTOMER, input={"name": "Krume"})
    assert second["customer"]["id"] != first["customer"]["id"]


async def test_a_repeat_may_be_written_otherwise_and_name_its_document(client: Client) -> None:
    # Nobody has registered this one before.
    document = f"{CREATE_CUSTOMER}# {new_id('req')}"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(document.encode()).hexdigest()}}
    variables = {"input": {"name": "Krume", "kind": "COMPANY"}}
    turned = {"input": {"kind": "COMPANY", "name": "Krume"}}
    # Apollo's clients begin with the hash, also those that try again.
    bodies: list[dict[str, Any]] = [
        {"extensions": named, "variables": variables},
        {"extensions": named, "variables": variables, "query": document},
        {"extensions": named, "variables": variables},
        {"variables": turned, "query": document, "operationName": None},
    ]
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    texts = [json.dumps(body, indent=indent) for body in bodies for indent in (None, 2)]
    unknown, *answers = [
        (await client.http.post("/graphql", content=text, headers=headers)).json() for text in (texts[0], *texts[2:])
    ]
    assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert answers[0]["data"]["createCustomer"]["errors"] == []
    assert answers == [answers[0]] * 6
    assert await customers(client) == 1
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    body = {"query": document, "variables": {**variables, "deep": deep}}
    again = [(await client.http.post("/graphql", json=body, headers={"idempotency-key": "d"})).json() for _ in range(2)]
    assert again[0] == again[1]
    assert again[0]["data"]["createCustomer"]["errors"] == []


async def test_a_repeat_reads_its_objects_again(client: Client) -> None:
    first = await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"})
    await client.change(UPDATE_CUSTOMER, input={"id": first["customer"]["id"], "name": "Kruste"})
    again = await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"})
    assert (again["customer"]["name"], again["customer"]["revision"]) == ("Kruste", 2)
    assert [stub["seq"] for stub in again["events"]] == [stub["seq"] for stub in first["events"]]


async def test_what_was_made_and_has_gone_is_null_in_a_repeat(client: Client) -> None:
    customer = await factories.customer(client)
    sent = {"customerId": customer["id"], "lastName": "Quinn"}
    first = await keyed(client, "k", CREATE_CONTACT, input=sent)
    deleted = await keyed(client, "d", DELETE_CONTACT, input={"id": first["contact"]["id"]})
    async with nothing_recorded():
        again = await keyed(client, "k", CREATE_CONTACT, input=sent)
        assert (again["contact"], again["errors"], len(again["events"])) == (None, [], 1)
        assert await keyed(client, "d", DELETE_CONTACT, input={"id": first["contact"]["id"]}) == deleted


async def test_lists_of_objects_are_answered_again_too(client: Client) -> None:
    people = [await factories.contact(client) for _ in range(2)]
    role = await factories.contact_role(client)
    sent = {"contacts": [{"id": each["id"]} for each in people], "roleId": role["id"]}
    first = await keyed(client, "k", SET_CONTACT_ROLES, input=sent)
    async with nothing_recorded():
        assert await keyed(client, "k", SET_CONTACT_ROLES, input=sent) == first


async def test_another_request_with_the_same_key_is_refused(client: Client) -> None:
    await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"})
    async with nothing_recorded():
        for document, sent in (
            (CREATE_CUSTOMER, {"name": "Kruste"}),
            (CREATE_CUSTOMER + " ", {"name": "Krume"}),
        ):
            payload = await keyed(client, "k", document, input=sent)
            [error] = payload["errors"]
            assert (payload["customer"], payload["events"]) == (None, [])
            assert error["code"] == "IDEMPOTENCY_MISMATCH"
            assert error["message"] == "This Idempotency-Key was used for another request: use a new one."
    again = await keyed(client, "k", CREATE_CUSTOMER, input={"name": "Krume"})
    assert again["errors"] == []


async def test_errors_are_repeated_even_when_their_cause_has_gone(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing")
    async with nothing_recorded():
        first = await keyed(client, "k", CREATE_CONTACT_ROLE, input={"name": "Billing"})
    assert first["errors"][0]["code"] == "TAKEN"
    await client.change(DELETE_CONTACT_ROLE, input={"id": role["id"]})
    async with nothing_recorded():
        assert await keyed(client, "k", CREATE_CONTACT_ROLE, input={"name": "Billing"}) == first
    assert (await keyed(client, "new", CREATE_CONTACT_ROLE, input={"name": "Billing"}))["errors"] == []


async def test_a_conflict_is_repeated_with_its_revision(client: Client) -> None:
    customer = await factories.customer(client)
    sent = {"id": customer["id"], "name": "Kruste", "expectedRevision": 7}
    first = await keyed(client, "k", UPDATE_CUSTOMER, input=sent)
    assert first["errors"][0]["currentRevision"] == 1
    assert first["errors"][0]["field"] == ["input", "expectedRevision"]
    assert await keyed(client, "k", UPDATE_CUSTOMER, input=sent) == first


async def test_concurrent_repeats_leave_one_object(client: Client) -> None:
    payloads = await asyncio.gather(*(_create(client, "k") for _ in range(10)))
    assert len({payload["customer"]["id"] for payload in payloads}) == 1
    assert len({payload["events"][0]["seq"] for payload in payloads}) == 1
    assert await customers(client) == 1


async def test_concurrent_repeats_of_a_failure_fail_alike(client: Client) -> None:
    await factories.contact_role(client, name="Billing")
    async with nothing_recorded():
        sent = {"name": "Billing"}
        payloads = await asyncio.gather(
            *(keyed(Client(client.token), "k", CREATE_CONTACT_ROLE, input=sent) for _ in range(6))
        )
    assert {payload["errors"][0]["code"] for payload in payloads} == {"TAKEN"}


async def test_each_field_of_a_request_is_done_once(client: Client) -> None:
    first = await client.send(TWO, {"name": "Krume"}, {"idempotency-key": "k"})
    assert first["a"]["customer"]["id"] != first["b"]["customer"]["id"]
    assert await client.send(TWO, {"name": "Krume"}, {"idempotency-key": "k"}) == first
    assert await customers(client) == 2


async def test_everybody_has_keys_of_their_own(client: Client, client_with: ClientWith) -> None:
    other = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    _, machine = await factories.machine(client, Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE)
    made = [await _create(each, "k") for each in (client, other, machine)]
    assert len({payload["customer"]["id"] for payload in made}) == 3


async def test_a_key_is_forgotten_after_a_day(client: Client) -> None:
    start, elapsed = clock.now(), timedelta()
    _, machine = await factories.machine(client, Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE)
    with clock.set_to(lambda: start + elapsed):
        first = await _create(machine, "k")
        elapsed = timedelta(hours=24, seconds=-1)
        assert await _create(machine, "k") == first
        elapsed = timedelta(hours=24)
        later = await _create(machine, "k")
        assert later["customer"]["id"] != first["customer"]["id"]
        assert await _create(machine, "k") == later


async def test_an_error_is_remembered_although_the_key_was_used_the_day_before(client: Client) -> None:
    start, elapsed = clock.now(), timedelta()
    _, machine = await factories.machine(client, Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE)
    customer = await factories.customer(client)
    sent = {"id": customer["id"], "name": "Kruste", "expectedRevision": 2}
    with clock.set_to(lambda: start + elapsed):
        await keyed(machine, "k", UPDATE_CUSTOMER, input=sent)
        elapsed = timedelta(days=2)
        first = await keyed(machine, "k", UPDATE_CUSTOMER, input=sent)
        assert first["errors"][0]["code"] == "CONFLICT"
        await machine.change(UPDATE_CUSTOMER, input={"id": customer["id"], "name": "Kante"})
        assert await keyed(machine, "k", UPDATE_CUSTOMER, input=sent) == first


async def test_a_refused_permission_is_not_remembered(client: Client, client_with: ClientWith) -> None:
    other = await client_with([Permission.CUSTOMERS_READ])
    assert other.user is not None
    await other.send(CREATE_CUSTOMER, {"input": {"name": "Krume"}}, {"idempotency-key": "k"})
    assert other.codes == ["FORBIDDEN"]
    role = await factories.user_role(client, Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE)
    await client.change(UPDATE_USER, input={"id": other.user["id"], "roleId": role["id"]})
    assert (await _create(other, "k"))["errors"] == []


@pytest.mark.parametrize("key", ["", "x" * 256], ids=["empty", "too long"])
async def test_a_key_has_1_to_255_characters(client: Client, key: str) -> None:
    async with nothing_recorded():
        await client.send(CREATE_CUSTOMER, {"input": {"name": "Krume"}}, {"idempotency-key": key})
    assert client.codes == ["BAD_REQUEST"]
    assert client.errors[0]["message"] == "Idempotency-Key must have 1 to 255 characters."
    assert (await _create(client, "x" * 255))["errors"] == []


async def test_signing_in_knows_no_keys(client: Client) -> None:
    user = await factories.user(client)
    await set_password(user["id"])
    variables = {"email": user["email"], "password": PASSWORD}
    tokens = [(await Client().send("SignIn", variables, {"idempotency-key": "k"}))["signIn"]["token"] for _ in range(2)]
    assert len(set(tokens)) == 2


async def _create(client: Client, key: str) -> dict[str, Any]:
    return await keyed(Client(client.token), key, CREATE_CUSTOMER, input={"name": "Krume"})
