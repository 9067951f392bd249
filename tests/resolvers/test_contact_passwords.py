"""Contacts' own passwords: set once with a link that works for 48 hours, by whoever holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

import models
from audit import Request
from models import Fault, clock
from services import password_links
from services.contact_passwords import set_by_link
from tests import factories
from tests.client import Client
from tests.resolvers.documents import DELETE_CONTACT, SET_CONTACT_PASSWORD, UPDATE_CONTACT
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

PASSWORD = "seven purple wheelbarrows sing"
EMAIL = {"kind": "EMAIL", "value": "grace@example.com"}
DOES_NOT_WORK = {
    "code": "BAD_CREDENTIALS",
    "field": ["input", "token"],
    "message": "This link does not work: it was used, it is too old, or a part of it is missing. Ask for a new one.",
    "currentRevision": None,
    "retryAfter": None,
}


@contextmanager
def later(**by: float) -> Iterator[None]:
    at = clock.now() + timedelta(**by)
    with clock.set_to(lambda: at):
        yield


async def grace(client: Client, **fields: Any) -> dict[str, Any]:
    """A contact with an email address."""
    customer = await factories.customer(client, name="Krume")
    named = {"firstName": "Grace", "lastName": "Hopper", "methods": [EMAIL]}
    return await factories.contact(client, customer["id"], **{**named, **fields})


async def link_for(contact: dict[str, Any]) -> str:
    """The token of a link as the worker makes it when the email leaves."""
    token = await password_links.issue(contact["id"], contact["email"], clock.now())
    assert token is not None
    return token


async def setting(token: str, password: str = PASSWORD) -> list[dict[str, Any]]:
    """The errors of setting a password, not signed in."""
    somebody = Client()
    data = await somebody.run(SET_CONTACT_PASSWORD, input={"token": token, "password": password})
    assert somebody.errors == []
    errors = data["setContactPassword"]["errors"]
    assert isinstance(errors, list)
    return errors


async def stored() -> list[Any]:
    rows = await models.current().fetch("SELECT password_hash FROM contact ORDER BY id")
    return [row["password_hash"] for row in rows]


async def test_a_link_sets_the_password_once(client: Client) -> None:
    contact = await grace(client)
    token, other = await link_for(contact), await link_for(contact)
    before = await last_seq()
    with later(hours=47.9):
        assert await setting(token) == []
        for used in (token, other):
            assert await setting(used) == [DOES_NOT_WORK]
    [password_hash] = await stored()
    PasswordHasher().verify(password_hash, PASSWORD)
    stub, *refused = await recorded(client, after=before)
    assert (stub["action"], stub["category"]) == ("CONTACT_UPDATED", "CONTACT")
    assert stub["actor"] == {"kind": "CONTACT", "id": contact["id"], "name": "Grace Hopper"}
    assert stub["sentence"] == "Grace Hopper set the portal password of contact Grace Hopper at Krume."
    assert changes(stub)["passwordHash"] == (None, None)
    assert set(changes(stub)) == {"passwordHash", "passwordSetAt"}
    assert actions(refused) == ["CONTACT_PASSWORD_LINK_REFUSED"] * 2
    read = "query ($id: ID!) { contact(id: $id) { passwordSetAt } }"
    assert (await client.run(read, id=contact["id"]))["contact"]["passwordSetAt"] is not None


async def test_wrong_old_and_ended_links_answer_alike(client: Client) -> None:
    deactivated, deleted, moved, expired = [await grace(client) for _ in range(4)]
    for contact in (deactivated, deleted):
        # The primary contact asks for a successor.
        await factories.contact(client, contact["customer"]["id"], primary=True)
    tokens = [await link_for(contact) for contact in (deactivated, deleted, moved)]
    await client.change(UPDATE_CONTACT, input={"id": deactivated["id"], "active": False})
    await client.change(DELETE_CONTACT, input={"id": deleted["id"]})
    methods = [{"kind": "EMAIL", "value": "grace@elsewhere.example.com"}]
    await client.change(UPDATE_CONTACT, input={"id": moved["id"], "methods": methods})
    old = await link_for(expired)
    before = await last_seq()
    for token in (*tokens, "nonsense"):
        assert await setting(token) == [DOES_NOT_WORK]
    assert await models.current().fetch("SELECT id FROM password_link") != []
    with later(hours=48, seconds=1):
        assert await setting(old) == [DOES_NOT_WORK]
    assert set(await stored()) == {None}
    stubs = await recorded(client, after=before)
    assert actions(stubs) == ["CONTACT_PASSWORD_LINK_REFUSED"] * 5
    assert {stub["sentence"] for stub in stubs} == {
        "Somebody tried to set a contact's password with a link that does not work."
    }
    assert {(stub["actor"]["kind"], stub["subject"]["label"], stub["customer"]) for stub in stubs} == {
        ("SYSTEM", "an unknown contact", None)
    }


async def test_what_is_no_token_at_all_is_refused_in_the_same_way(client: Client) -> None:
    for token in ("", "cfp_" + "a" * 43, "ä", "x" * 100_000):
        assert await setting(token) == [DOES_NOT_WORK]


async def test_links_that_do_not_work_have_to_wait_and_those_that_do_never(client: Client) -> None:
    contact = await grace(client)
    token = await link_for(contact)
    before = await last_seq()
    at = clock.now()
    with clock.set_to(lambda: at):
        answers = [(await setting("nonsense"))[0] for _ in range(8)]
        assert [answer["code"] for answer in answers] == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 3
        assert (answers[5]["field"], answers[5]["retryAfter"]) == (["input", "token"], 1)
        # One event for the wait, however often somebody tries.
        assert actions(await recorded(client, after=before)) == [
            *["CONTACT_PASSWORD_LINK_REFUSED"] * 5,
            "CONTACT_PASSWORD_LINK_THROTTLED",
        ]
        assert await setting(token) == []
        assert (await setting("nonsense"))[0]["code"] == "BAD_CREDENTIALS"


async def test_a_network_of_ipv6_waits_as_one_and_each_address_of_ipv4_alone(client: Client) -> None:
    async def refusals(*addresses: str) -> list[str]:
        codes = []
        for address in addresses:
            with pytest.raises(Fault) as caught:
                await set_by_link("nonsense", "a password that is good", Request("req_1", address))
            codes.append(caught.value.code.value)
        return codes

    at = clock.now()
    with clock.set_to(lambda: at):
        network = [f"2001:db8:1:2:{number}::{number}" for number in range(1, 7)]
        assert await refusals(*network) == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"]
        assert await refusals("2001:db8:1:3::1", *[f"192.0.2.{number}" for number in range(6)]) == (
            ["BAD_CREDENTIALS"] * 7
        )
        assert await refusals(*[f"::ffff:192.0.2.{number}" for number in range(10, 16)]) == ["BAD_CREDENTIALS"] * 6


async def test_a_password_that_is_refused_leaves_the_link_as_it_was(client: Client) -> None:
    contact = await grace(client)
    token = await link_for(contact)
    async with nothing_recorded():
        for password in ("short", "x" * 129, "grace hopper grace", "passwordpassword", "grace@example.com"):
            [error] = await setting(token, password)
            assert (error["code"], error["field"]) == ("INVALID", ["input", "password"]), password
            assert password not in error["message"]
    assert await setting(token) == []


async def test_of_two_who_use_a_link_at_once_one_succeeds(client: Client) -> None:
    token = await link_for(await grace(client))
    answers = await asyncio.gather(*(setting(token, f"{PASSWORD} {number}") for number in range(3)))
    assert sorted(len(errors) for errors in answers) == [0, 1, 1]
    assert [errors for errors in answers if errors] == [[DOES_NOT_WORK]] * 2


async def test_a_link_of_one_contact_does_not_touch_another(client: Client) -> None:
    one, other = await grace(client), await grace(client)
    token, kept = await link_for(one), await link_for(other)
    assert await setting(token) == []
    assert await setting(kept) == []
