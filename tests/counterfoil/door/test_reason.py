"""A request may say why it changes something; history keeps it."""

from __future__ import annotations

import httpx
import pytest

from tests.client import Client

pytestmark = pytest.mark.anyio

CREATE = (
    """mutation { createCustomer(input: { name: "Lakeside Bakery" }) { events { reason sentence } errors { code } } }"""
)


async def post(client: Client, reason: bytes) -> httpx.Response:
    return await client.http.post("/graphql", json={"query": CREATE}, headers={b"Counterfoil-Reason": reason})


async def test_the_reason_of_a_request_is_in_its_events(client: Client) -> None:
    reason = "Ticket 4711: spätere Zustellung"
    response = await post(client, reason.encode())
    assert response.json()["data"]["createCustomer"]["events"][0]["reason"] == reason


async def test_without_a_reason_there_is_none(client: Client) -> None:
    payload = await client.change(CREATE)
    assert payload["events"][0]["reason"] is None


@pytest.mark.parametrize("reason", [b"", b"x" * 501, b"caf\xe9"], ids=["empty", "too long", "not UTF-8"])
async def test_a_reason_that_cannot_be_kept_is_refused(client: Client, reason: bytes) -> None:
    response = await post(client, reason)
    assert response.status_code == 400
    assert "Counterfoil-Reason" in response.json()["errors"][0]["message"]
