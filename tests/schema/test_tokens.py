"""How long a token is good: sessions and API keys end by themselves, and at once when somebody ends them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

import models
from models import Permission, clock
from tests import factories
from tests.client import Client, ClientWith, new_session, observed

pytestmark = pytest.mark.anyio

VIEWER = "{ viewer { actor { id } } }"


@pytest.mark.parametrize(
    ("idle", "passed", "valid"),
    [
        (timedelta(minutes=29), timedelta(minutes=29), True),
        (timedelta(minutes=30), timedelta(minutes=30), False),
        (timedelta(minutes=29), timedelta(hours=11, minutes=59), True),
        (timedelta(minutes=29), timedelta(hours=12), False),
    ],
    ids=["used a while ago", "idle for 30 minutes", "used all day", "12 hours old"],
)
async def test_sessions_end(client: Client, idle: timedelta, passed: timedelta, valid: bool) -> None:
    begun = clock.now()
    at = timedelta(0)
    data: dict[str, Any] = {}
    while at < passed:
        at = min(at + idle, passed)
        with clock.set_to(lambda at=begun + at: at):  # type: ignore[misc]
            data = await client.run(VIEWER)
            await models.current().later.done()
    assert bool(data) is valid
    assert client.codes == ([] if valid else ["UNAUTHENTICATED"])
    if not valid:
        assert "not valid any more" in client.errors[0]["message"]


async def test_a_session_is_touched_at_most_once_a_minute(client: Client, database: models.Database) -> None:
    begun = clock.now()
    touched = []
    for seconds in (1, 59, 61, 90, 122):
        with clock.set_to(lambda at=begun + timedelta(seconds=seconds): at), observed(database) as seen:  # type: ignore[misc]
            await client.run(VIEWER)
            await database.later.done()
        touched.append(any(sql.startswith("UPDATE session") for sql in seen))
    assert touched == [False, False, True, False, True]


async def test_nobody_waits_until_the_use_of_a_session_is_noted(
    client: Client, database: models.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, released = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.write() as transaction:
            await transaction.fetch("UPDATE session SET last_used_at = last_used_at")
            holds.set()
            await released.wait()

    later = clock.now() + timedelta(minutes=2)
    async with asyncio.timeout(60):
        holding = asyncio.create_task(hold())
        await holds.wait()
        with clock.set_to(lambda: later), observed(database) as seen:
            for _ in range(5):
                assert await client.run(VIEWER)
            released.set()
            await holding
            await database.later.done()
    assert sum(sql.startswith("UPDATE session") for sql in seen) == 1
    [row] = await database.fetch("SELECT last_used_at FROM session")
    assert row["last_used_at"] == later
    # What fails is logged, and the next who comes has it tried again.
    with monkeypatch.context() as patch, clock.set_to(lambda: later + timedelta(minutes=2)), capture_logs() as logs:
        patch.setattr(database, "write", Mock(side_effect=OSError("away")))
        assert await client.run(VIEWER)
        await database.later.done()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["not written"]
    with clock.set_to(lambda: later + timedelta(minutes=3)):
        assert await client.run(VIEWER)
        await database.later.done()
    [row] = await database.fetch("SELECT last_used_at FROM session")
    assert row["last_used_at"] == later + timedelta(minutes=3)


async def test_a_revoked_session_is_over_at_once(client: Client) -> None:
    assert client.user is not None
    other = Client(await new_session(client.user["id"]), client.user)
    assert await other.run(VIEWER)
    await client.change(
        "mutation ($id: ID!) { endSessions(input: { userId: $id }) { ended errors { code } } }", id=client.user["id"]
    )
    for session in (client, other):
        assert await session.run(VIEWER) == {}
        assert session.codes == ["UNAUTHENTICATED"]


async def test_a_disabled_user_is_out_at_once(client: Client, client_with: ClientWith) -> None:
    actor = await client_with()
    assert actor.user is not None
    text = "mutation ($id: ID!) { updateUser(input: { id: $id, active: false }) { errors { code } } }"
    await client.change(text, id=actor.user["id"])
    assert await actor.run(VIEWER) == {}
    assert actor.codes == ["UNAUTHENTICATED"]


async def test_taking_a_permission_away_takes_effect_with_the_next_request(
    client: Client, client_with: ClientWith
) -> None:
    actor = await client_with([Permission.CUSTOMERS_READ, Permission.NOTES_READ])
    assert actor.user is not None
    assert await actor.run("{ customers { totalCount } }")
    text = "mutation ($id: ID!, $may: [Permission!]!) { updateUserRole(input: { id: $id, permissions: $may })"
    await client.change(f"{text} {{ errors {{ code }} }} }}", id=actor.user["role_id"], may=["NOTES_READ"])
    assert await actor.run("{ customers { totalCount } }") == {}
    assert actor.codes == ["FORBIDDEN"]


async def test_api_keys_expire_and_can_be_revoked(client: Client) -> None:
    until = clock.now() + timedelta(days=3)
    _, machine = await factories.machine(client, Permission.CUSTOMERS_READ, expiresAt=until.isoformat())
    key, other = await factories.machine(client, Permission.CUSTOMERS_READ)
    assert await machine.run("{ customers { totalCount } }")
    with clock.set_to(lambda: until):
        assert await machine.run("{ customers { totalCount } }") == {}
    assert machine.codes == ["UNAUTHENTICATED"]
    assert await other.run("{ customers { totalCount } }")
    await client.change("mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { errors { code } } }", id=key["id"])
    assert await other.run("{ customers { totalCount } }") == {}
    assert other.codes == ["UNAUTHENTICATED"]


async def test_what_is_no_token_of_ours_is_nobody(client: Client) -> None:
    anonymous = Client()
    for sent in (
        "Bearer cfs_unknown",
        "Bearer cfk_unknown",
        "Bearer ",
        "Bearer x",
        "Basic YTpi",
        "cfs_x",
        "Bearer cfs_\xe9",
    ):
        assert await anonymous.send(VIEWER, {}, {b"authorization": sent.encode("latin-1")}) == {}, sent
        assert anonymous.codes == ["UNAUTHENTICATED"], sent


async def test_the_word_bearer_may_be_written_in_any_case(client: Client) -> None:
    other = Client()
    other.http.headers["authorization"] = f"bEARER   {client.token}"
    assert await other.run(VIEWER)
