"""History and log agree: whatever becomes of a delivery, its row is the last step of its timeline."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.delivery_timeline import timelines
from audit.drift import drift
from models import Contact, Database, Delivery, DeliveryStatus
from models.communication import may_follow
from models.rows import by_ids
from services.communications import Outcome, settle_in_turn
from tests.audit.rows import by_ada
from tests.services.communications.drafts import addressee, contact_at, draft, recorded

pytestmark = pytest.mark.anyio

START = datetime(2030, 1, 1, tzinfo=UTC)
STATUSES = [status for status in DeliveryStatus if status not in (DeliveryStatus.QUEUED, DeliveryStatus.SUPPRESSED)]
# Which of two deliveries, what is said of it, and whether by a server that knows the address to be dead.
SAID = st.tuples(
    st.integers(0, 1), st.sampled_from(STATUSES), st.sampled_from([None, "250 OK", "550 No"]), st.booleans()
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workers=st.lists(st.lists(st.lists(SAID, max_size=3), max_size=3), min_size=2, max_size=2))
async def test_history_and_log_agree(
    database: Database, workers: list[list[list[tuple[int, DeliveryStatus, str | None, bool]]]]
) -> None:
    grace = await contact_at()
    alan = await contact_at(grace["customer_id"], address="alan@example.com")
    _, deliveries = await recorded(draft(addressee(grace), addressee(alan)))
    ids = [delivery["id"] for delivery in deliveries]

    async def worker(transactions: list[list[tuple[int, DeliveryStatus, str | None, bool]]]) -> None:
        for number, told in enumerate(transactions):
            at = START + timedelta(seconds=number)
            outcomes = [
                (ids[which], Outcome(status, at, reply, attempts=number, address_failed=failed))
                for which, status, reply, failed in told
            ]
            await by_ada(lambda change, outcomes=outcomes: settle_in_turn(change, outcomes))  # type: ignore[misc]

    await asyncio.gather(*(worker(transactions) for transactions in workers))
    rows = await by_ids(Delivery)(ids)
    marked = [row["email_problem"] is not None for row in await by_ids(Contact)([grace["id"], alan["id"]]) if row]
    for row, steps, problem in zip(rows, await timelines(ids), marked, strict=True):
        assert row is not None
        assert [row[name] for name in ("status", "status_at", "reply")] == [
            steps[-1][name] for name in ("status", "at", "reply")
        ]
        assert steps[-1]["event"]["revision"] == row["revision"] == len(steps)
        passed = [DeliveryStatus(step["status"]) for step in steps]
        assert passed[0] is DeliveryStatus.QUEUED
        assert all(may_follow(now, then) for now, then in pairwise(passed))
        said = any(
            failed for some in workers for told in some for which, _, _, failed in told if ids[which] == row["id"]
        )
        assert said or not problem
    assert await drift(database) == []
