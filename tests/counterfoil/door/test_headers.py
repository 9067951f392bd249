"""Security headers: on every answer, whatever it is."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette

from counterfoil.app import create_app
from counterfoil.settings import read_settings
from tests.client import Client, default_app

pytestmark = pytest.mark.anyio

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def http(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://counterfoil.test")


async def answers(sender: httpx.AsyncClient) -> list[httpx.Response]:
    """One answer of each kind: an API's, refusals, a redirect, a preflight, a page, a file that is not there."""
    asked = {"access-control-request-method": "POST", "origin": "https://evil.example.com"}
    return [
        await sender.post("/graphql", json={"query": "{ __typename }"}),
        await sender.post("/graphql", content=b"\xff"),
        await sender.put("/graphql"),
        await sender.post("/graphql", content=b" " * 2_000_000, headers={"content-type": "application/json"}),
        await sender.options("/graphql", headers=asked),
        await sender.get("/graphql", headers={"accept": "text/html"}),
        await sender.get("/"),
        await sender.get("/healthz"),
        await sender.get("/nowhere"),
        await sender.get("/assets/nothing.js"),
        await sender.get("/" + "x" * 20_000),
    ]


async def test_every_answer_has_them(client: Client) -> None:
    async with http(default_app()) as sender:
        for response in await answers(sender):
            told, headers = f"{response.request.method} {response.request.url.path[:20]}", response.headers
            assert headers["x-content-type-options"] == "nosniff", told
            assert headers["referrer-policy"] == "no-referrer", told
            assert headers["x-frame-options"] == "DENY", told
            assert headers["cross-origin-opener-policy"] == "same-origin", told
            assert headers["cross-origin-resource-policy"] == "same-origin", told
            assert "frame-ancestors 'none'" in headers["content-security-policy"], told
            page = headers.get("content-type", "").startswith("text/html")
            assert (headers["content-security-policy"] == NOTHING) is not page, told
            # RFC 6797, 7.2: not without TLS.
            assert "strict-transport-security" not in headers, told


async def test_behind_https_browsers_are_to_stay_with_it(client: Client) -> None:
    async with http(create_app(read_settings(https=True))) as sender:
        for response in await answers(sender):
            assert response.headers["strict-transport-security"] == "max-age=31536000"


async def test_bugs_are_answered_with_them(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("counterfoil.door.view.View.__call__", broken)
    response = await client.http.post("/graphql", json={"query": "{ __typename }"})
    assert (response.status_code, response.headers["content-security-policy"]) == (500, NOTHING)
