"""API keys: scoped, expiring, revoked, and shown once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import Permission, clock
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    API_KEY,
    CREATE_API_KEY,
    CREATE_CUSTOMER,
    REVOKE_API_KEY,
    UPDATE_CUSTOMER,
    UPDATE_USER,
    UPDATE_USER_ROLE,
)
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

P = Permission
KEYS = f"{{ apiKeys(first: 10) {{ edges {{ node {API_KEY} }} }} }}"


async def test_a_key_is_made_with_its_token_shown_once(client: Client) -> None:
    assert client.user is not None
    sent = {"name": "Importer", "permissions": ["CUSTOMERS_WRITE", "CUSTOMERS_READ"]}
    payload = await client.change(CREATE_API_KEY, input=sent)
    key, token = payload["apiKey"], payload["token"]
    assert token.startswith("cfk_")
    assert len(token) >= 47
    assert key["permissions"] == ["CUSTOMERS_READ", "CUSTOMERS_WRITE"]
    assert key["createdBy"] == {"id": client.user["id"]}
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("API_KEY_CREATED", "ACCESS")
    assert stub["sentence"] == "Ada Admin added API key Importer."
    assert [change["field"] for change in stub["changes"] if change["withheld"] == "SECRET"] == ["tokenHash"]
    assert token not in repr(await client.run(KEYS))
    assert token not in repr(await recorded(client))


async def test_a_key_acts_as_a_machine_with_its_own_name(client: Client) -> None:
    key, machine = await factories.machine(client, P.CUSTOMERS_READ, P.CUSTOMERS_WRITE, name="Importer")
    data = await machine.run("Viewer")
    assert data["viewer"] == {
        "actor": {"kind": "SYSTEM", "id": key["id"], "name": "Importer"},
        "user": None,
        "permissions": ["CUSTOMERS_READ", "CUSTOMERS_WRITE"],
    }
    payload = await machine.change(CREATE_CUSTOMER, input={"name": "Krume"})
    assert payload["events"][0]["actor"] == {"kind": "SYSTEM", "id": key["id"], "name": "Importer"}
    assert payload["events"][0]["sentence"] == "Importer added customer Krume."


async def test_a_key_may_do_only_what_it_was_made_for(client: Client) -> None:
    key, machine = await factories.machine(client, P.CUSTOMERS_READ)
    customer = await factories.customer(client)
    before = await last_seq()
    await machine.run(UPDATE_CUSTOMER, input={"id": customer["id"], "name": "Mine"})
    assert machine.codes == ["FORBIDDEN"]
    [stub] = await recorded(client, after=before)
    assert (stub["action"], stub["subject"]["id"]) == ("API_KEY_PERMISSION_REFUSED", key["id"])
    assert "was refused what it has no permission for" in stub["sentence"]
    assert stub["reason"] == "Mutation.updateCustomer needs the permission CUSTOMERS_WRITE."


async def test_nobody_makes_a_key_that_may_do_more_than_they(client: Client, client_with: ClientWith) -> None:
    maker = await client_with([P.API_KEYS_WRITE, P.USERS_READ, P.CUSTOMERS_READ])
    before = await last_seq()
    await maker.run(CREATE_API_KEY, input={"name": "Mine", "permissions": ["CUSTOMERS_READ", "AUDIT_READ"]})
    assert maker.codes == ["FORBIDDEN"]
    assert "You cannot manage permissions that you do not have: AUDIT_READ." in maker.errors[0]["message"]
    assert actions(await recorded(client, after=before)) == ["USER_PERMISSION_REFUSED"]
    made = await maker.change(CREATE_API_KEY, input={"name": "Mine", "permissions": ["CUSTOMERS_READ"]})
    assert made["apiKey"]["permissions"] == ["CUSTOMERS_READ"]
    async with nothing_recorded():
        fault = await client.fault(CREATE_API_KEY, input={"name": "Idle", "permissions": []})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "permissions"])


async def test_a_key_makes_no_keys(client: Client) -> None:
    _, machine = await factories.machine(client, *P)
    before = await last_seq()
    await machine.run(CREATE_API_KEY, input={"name": "Offspring", "permissions": ["CUSTOMERS_READ"]})
    assert machine.codes == ["FORBIDDEN"]
    assert machine.errors[0]["message"] == "API keys are made by users, not by API keys."
    assert actions(await recorded(client, after=before)) == ["API_KEY_PERMISSION_REFUSED"]


async def test_a_key_never_does_more_than_its_maker_may_do_now(client: Client, client_with: ClientWith) -> None:
    maker = await client_with([P.API_KEYS_WRITE, P.USERS_READ, P.CUSTOMERS_READ, P.NOTES_READ])
    assert maker.user is not None
    _, machine = await factories.machine(maker, P.CUSTOMERS_READ, P.NOTES_READ)
    fewer = {"id": maker.user["role_id"], "permissions": ["NOTES_READ"]}
    await client.change(UPDATE_USER_ROLE, input=fewer)
    assert (await machine.run("Viewer"))["viewer"]["permissions"] == ["NOTES_READ"]
    await client.change(UPDATE_USER, input={"id": maker.user["id"], "active": False})
    await machine.run("Viewer")
    assert machine.codes == ["UNAUTHENTICATED"]


async def test_a_key_ends_by_itself(client: Client) -> None:
    start = now = clock.now()
    end = start + timedelta(days=3)
    _, machine = await factories.machine(client, P.CUSTOMERS_READ, expiresAt=end.isoformat())
    with clock.set_to(lambda: now):
        now = end - timedelta(microseconds=1)
        await machine.run("{ customers { totalCount } }")
        assert machine.errors == []
        now = end
        await machine.run("{ customers { totalCount } }")
    assert machine.codes == ["UNAUTHENTICATED"]
    assert machine.errors[0]["message"] == "Your session or key is not valid any more: sign in again."


async def test_a_key_lives_for_a_year_at_most(client: Client) -> None:
    now = clock.now()
    for days in (-1, 0, 367):
        async with nothing_recorded():
            sent = {"name": "Old", "permissions": ["CUSTOMERS_READ"], "expiresAt": (now + timedelta(days)).isoformat()}
            fault = await client.fault(CREATE_API_KEY, input=sent)
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "expiresAt"])
    payload = await client.change(CREATE_API_KEY, input={"name": "Year", "permissions": ["CUSTOMERS_READ"]})
    year_later = (now + timedelta(days=366)).strftime("%Y-%m-%d")
    assert payload["apiKey"]["expiresAt"].startswith(year_later)


async def test_a_key_is_revoked_at_once_and_only_once(client: Client) -> None:
    key, machine = await factories.machine(client, P.CUSTOMERS_READ, name="Importer")
    payload = await client.change(REVOKE_API_KEY, input={"id": key["id"], "expectedRevision": 1})
    revoked_at = payload["apiKey"]["revokedAt"]
    [stub] = payload["events"]
    assert changes(stub) == {"revokedAt": (None, revoked_at)}
    assert stub["sentence"].startswith("Ada Admin changed API key Importer: revoked at set to")
    await machine.run("Viewer")
    assert machine.codes == ["UNAUTHENTICATED"]
    async with nothing_recorded():
        again = await client.change(REVOKE_API_KEY, input={"id": key["id"]})
    assert again["apiKey"]["revokedAt"] == revoked_at


async def test_a_key_cannot_sign_out_or_have_a_password(client: Client) -> None:
    _, machine = await factories.machine(client, P.CUSTOMERS_READ)
    async with nothing_recorded():
        fault = await machine.fault("mutation { signOut { errors { code message } } }")
        assert fault["code"] == "INVALID"
        document = """mutation { changePassword(input: {currentPassword: "a", password: "b"}) { errors { code } } }"""
        assert (await machine.fault(document))["code"] == "INVALID"
