"""Signing in and out: sessions and how long they last, failures and how long they wait."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

import models
from audit import SYSTEM, Request, transact
from models import Permission, clock
from services import tokens, users
from tests import factories
from tests.client import PASSWORD, Client, ClientWith, set_password
from tests.resolvers.documents import UPDATE_USER
from tests.resolvers.stubs import actions, last_seq, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

SIGN_OUT = "mutation { signOut { events { action sentence actor { name } } errors { code } } }"
WRONG = "this is not the password"


async def somebody(client: Client, **fields: Any) -> dict[str, Any]:
    """A user who can sign in with PASSWORD."""
    user = await factories.user(client, **fields)
    await set_password(user["id"])
    return user


async def attempt(email: str, password: str = WRONG) -> dict[str, Any]:
    payload = (await Client().run("SignIn", email=email, password=password))["signIn"]
    assert isinstance(payload, dict)
    return payload


async def failure(email: str, password: str = WRONG) -> dict[str, Any]:
    payload = await attempt(email, password)
    assert (payload["token"], payload["expiresAt"], payload["viewer"]) == (None, None, None)
    [error] = payload["errors"]
    assert isinstance(error, dict)
    return error


async def test_signing_in_opens_a_session(client: Client) -> None:
    role = await factories.user_role(client, Permission.NOTES_READ)
    user = await somebody(client, name="Uma Clerk", email="uma@example.com", roleId=role["id"])
    before = await last_seq()
    payload = await attempt(" UMA@Example.com ", PASSWORD)
    assert payload["errors"] == []
    assert payload["viewer"] == {
        "actor": {"kind": "USER", "id": user["id"], "name": "Uma Clerk"},
        "user": {"id": user["id"], "name": "Uma Clerk", "email": "uma@example.com"},
        "permissions": ["NOTES_READ"],
    }
    assert await Client(payload["token"]).run("Viewer") == {"viewer": payload["viewer"]}
    [stub] = await recorded(client, after=before)
    assert (stub["action"], stub["category"], stub["changes"]) == ("USER_SIGNED_IN", "ACCESS", [])
    assert stub["actor"] == payload["viewer"]["actor"]
    assert stub["sentence"] == "Uma Clerk signed in."


async def test_only_a_digest_of_the_token_is_stored(client: Client) -> None:
    user = await somebody(client)
    token = (await attempt(user["email"], PASSWORD))["token"]
    rows = await models.current().fetch("SELECT * FROM session WHERE user_id = ?", user["id"])
    assert [row["token_hash"] for row in rows] == [tokens.token_hash(token)]
    assert token not in repr(rows)
    assert token not in repr(await recorded(client))


async def test_wrong_unknown_disabled_and_passwordless_accounts_answer_alike(client: Client) -> None:
    known = await somebody(client, name="Uma Clerk")
    disabled = await somebody(client)
    await client.change(UPDATE_USER, input={"id": disabled["id"], "active": False})
    passwordless = await factories.user(client)
    before = await last_seq()
    answers = [
        await failure(known["email"]),
        await failure("hunter2@example.com"),
        await failure("not an address"),
        await failure(disabled["email"], PASSWORD),
        await failure(passwordless["email"], PASSWORD),
    ]
    expected = {"code": "BAD_CREDENTIALS", "field": None, "message": "Email or password is wrong.", "retryAfter": None}
    assert answers == [expected] * 5
    stubs = await recorded(client, after=before)
    assert actions(stubs) == ["USER_SIGN_IN_FAILED"] * 5
    assert {stub["actor"]["kind"] for stub in stubs} == {"SYSTEM"}
    assert stubs[0]["sentence"] == "Somebody failed to sign in as Uma Clerk."
    assert stubs[1]["sentence"] == "Somebody failed to sign in as an unknown account."
    assert [stub["subject"]["id"] for stub in stubs] == [
        known["id"],
        *["usr_00000000000000000000000000"] * 2,
        disabled["id"],
        passwordless["id"],
    ]
    # People type passwords into the field for the address.
    assert "hunter2" not in repr(stubs)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_after_five_failures_an_account_waits_twice_as_long_each_time_up_to_15_minutes(
    client: Client, known: bool
) -> None:
    email = (await somebody(client))["email"] if known else "nobody@example.com"
    start, elapsed = clock.now(), timedelta()
    before = await last_seq()
    waits = []
    with clock.set_to(lambda: start + elapsed):
        for _ in range(5):
            assert (await failure(email))["code"] == "BAD_CREDENTIALS"
        for _ in range(12):
            # However many attempts, with the right password, too: one event for each step.
            throttled = await failure(email, PASSWORD)
            assert throttled["code"] == "THROTTLED"
            waits.append(throttled["retryAfter"])
            unit = "second" if waits[-1] == 1 else "seconds"
            message = f"Too many failed attempts: wait {waits[-1]} {unit}, then try again."
            assert throttled["message"] == message
            elapsed += timedelta(seconds=waits[-1], microseconds=-1)
            assert (await failure(email))["retryAfter"] == 1
            elapsed += timedelta(microseconds=1)
            assert (await failure(email))["code"] == "BAD_CREDENTIALS"
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    stubs = await recorded(client, after=before)
    expected = ["USER_SIGN_IN_FAILED"] * 5 + ["USER_SIGN_IN_THROTTLED", "USER_SIGN_IN_FAILED"] * 12
    assert actions(stubs) == expected
    name = "User" if known else "an unknown account"
    assert stubs[5]["sentence"].startswith(f"Sign-in as {name}")
    assert stubs[5]["sentence"].endswith("has to wait after too many failures.")


async def test_success_forgets_the_failures_before(client: Client) -> None:
    user = await somebody(client)
    start, elapsed = clock.now(), timedelta()
    with clock.set_to(lambda: start + elapsed):
        for _ in range(5):
            await failure(user["email"])
        elapsed = timedelta(seconds=1)
        assert (await attempt(user["email"], PASSWORD))["errors"] == []
        for _ in range(5):
            assert (await failure(user["email"]))["code"] == "BAD_CREDENTIALS"
        assert (await failure(user["email"]))["retryAfter"] == 1


async def test_each_alias_of_one_request_counts(client: Client) -> None:
    user = await somebody(client)
    guesses = " ".join(
        f'g{number}: signIn(input: {{email: "{user["email"]}", password: "guess {number}"}}) {{ errors {{ code }} }}'
        for number in range(8)
    )
    now = clock.now()
    with clock.set_to(lambda: now):
        data = await Client().run(f"mutation {{ {guesses} }}")
    codes = [data[f"g{number}"]["errors"][0]["code"] for number in range(8)]
    assert codes == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 3


async def test_concurrent_guesses_do_not_slip_past_the_counter(client: Client) -> None:
    user = await somebody(client)
    before = await last_seq()
    now = clock.now()
    with clock.set_to(lambda: now):
        errors = await asyncio.gather(*(failure(user["email"]) for _ in range(16)))
    assert sorted(error["code"] for error in errors) == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 11
    stubs = await recorded(client, after=before)
    assert sorted(actions(stubs)) == ["USER_SIGN_IN_FAILED"] * 5 + ["USER_SIGN_IN_THROTTLED"]


async def test_a_session_ends_after_30_minutes_without_use(client: Client) -> None:
    user = await somebody(client)
    start, elapsed = clock.now(), timedelta()
    with clock.set_to(lambda: start + elapsed):
        session = Client((await attempt(user["email"], PASSWORD))["token"])
        for minutes in (29, 29, 29.99):
            elapsed += timedelta(minutes=minutes)
            await session.run("Viewer")
            await models.current().later.done()
            assert session.errors == []
        elapsed += timedelta(minutes=30)
        async with nothing_recorded():
            await session.run("Viewer")
    assert session.codes == ["UNAUTHENTICATED"]
    assert session.errors[0]["message"] == "Your session or key is not valid any more: sign in again."


async def test_a_session_ends_after_12_hours_whatever_happens(client: Client) -> None:
    user = await somebody(client)
    start, elapsed = clock.now(), timedelta()
    with clock.set_to(lambda: start + elapsed):
        payload = await attempt(user["email"], PASSWORD)
        assert payload["expiresAt"] == (start + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        session = Client(payload["token"])
        for minute in range(20, 12 * 60, 20):
            elapsed = timedelta(minutes=minute)
            await session.run("Viewer")
            await models.current().later.done()
            assert session.errors == []
        elapsed = timedelta(hours=12)
        await session.run("Viewer")
    assert session.codes == ["UNAUTHENTICATED"]


async def test_the_use_of_a_session_is_noted_once_a_minute_at_most(client: Client) -> None:
    user = await somebody(client)
    start, elapsed = clock.now(), timedelta()
    touched: list[float] = []

    def observe(sql: str) -> None:
        if sql.startswith("UPDATE session"):
            touched.append(elapsed.total_seconds())

    models.current().statements.append(observe)
    with clock.set_to(lambda: start + elapsed):
        session = Client((await attempt(user["email"], PASSWORD))["token"])
        for seconds in (0, 1, 59, 60, 61, 119, 121, 200):
            elapsed = timedelta(seconds=seconds)
            await session.run("Viewer")
            await models.current().later.done()
    assert touched == [60, 121, 200]


async def test_signing_out_ends_this_session_and_no_other(client: Client) -> None:
    user = await somebody(client, name="Uma Clerk")
    here, elsewhere = [Client((await attempt(user["email"], PASSWORD))["token"]) for _ in range(2)]
    before = await last_seq()
    payload = await here.change(SIGN_OUT)
    assert payload["events"] == [
        {"action": "USER_SIGNED_OUT", "sentence": "Uma Clerk signed out.", "actor": {"name": "Uma Clerk"}}
    ]
    assert actions(await recorded(client, after=before)) == ["USER_SIGNED_OUT"]
    async with nothing_recorded():
        await here.run("Viewer")
        assert here.codes == ["UNAUTHENTICATED"]
        await here.run(SIGN_OUT)
        assert here.codes == ["UNAUTHENTICATED"]
    await elsewhere.run("Viewer")
    assert elsewhere.errors == []


async def test_a_password_hashed_with_other_parameters_is_hashed_again(client: Client) -> None:
    user = await factories.user(client)
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await transact(SYSTEM, Request.new(), lambda change: users.update(change, user["id"], None, {}, old))
    before = await last_seq()
    assert (await attempt(user["email"], PASSWORD))["errors"] == []
    changed, _ = stubs = await recorded(client, after=before)
    assert actions(stubs) == ["USER_UPDATED", "USER_SIGNED_IN"]
    assert [(change["field"], change["withheld"]) for change in changed["changes"]] == [("passwordHash", "SECRET")]
    assert actions(await recorded(client, after=before)) == ["USER_UPDATED", "USER_SIGNED_IN"]
    before = await last_seq()
    assert (await attempt(user["email"], PASSWORD))["errors"] == []
    assert actions(await recorded(client, after=before)) == ["USER_SIGNED_IN"]


async def test_a_token_that_is_no_good_is_refused(client: Client) -> None:
    stranger = Client()
    for token in ("cfs_unknown", "cfk_unknown", "anything", ""):
        async with nothing_recorded():
            await stranger.send("Viewer", {}, {"authorization": f"Bearer {token}"})
        assert stranger.codes == ["UNAUTHENTICATED"]


async def test_refused_permissions_leave_an_event_each_up_to_the_fifth(client: Client, client_with: ClientWith) -> None:
    nobody = await client_with()
    assert nobody.user is not None
    before = await last_seq()
    start, elapsed = clock.now(), timedelta()
    with clock.set_to(lambda: start + elapsed):
        for _ in range(8):
            await nobody.run("{ customers { totalCount } }")
            assert nobody.codes == ["FORBIDDEN"]
        elapsed = timedelta(seconds=1)
        for _ in range(3):
            await nobody.run("{ customers { totalCount } }")
    stubs = await recorded(client, after=before)
    assert actions(stubs) == ["USER_PERMISSION_REFUSED"] * 6
    assert stubs[0]["actor"]["id"] == stubs[0]["subject"]["id"] == nobody.user["id"]
    assert stubs[0]["reason"] == "Query.customers needs the permission CUSTOMERS_READ."
