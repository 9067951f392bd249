"""The application as a whole: its lifespan, its neighbours of /graphql, and whom browsers may send."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import structlog
from starlette.applications import Starlette

import models
from counterfoil import jobs, logs
from counterfoil.app import application, create_app
from counterfoil.settings import read_settings
from services.documents.storage import content_path
from tests.client import Client, default_app

pytestmark = pytest.mark.anyio

DESK = "https://desk.example.com"


def http(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://counterfoil.test")


async def test_the_lifespan_opens_the_database_and_closes_it(database_url: str) -> None:
    app = create_app(read_settings(database_url=database_url))
    async with http(app) as sender:
        async with app.router.lifespan_context(app):
            assert (await sender.get("/readyz")).json() == {"status": "ready"}
            inside = models.current()
        assert (await sender.get("/readyz")).status_code == 503
        assert (await sender.get("/healthz")).json() == {"status": "ok"}
        # It may begin again, on connections of its own.
        async with app.router.lifespan_context(app):
            assert models.current() is not inside
            assert (await sender.get("/readyz")).status_code == 200


async def test_while_it_serves_it_sweeps_documents_and_does_not_give_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "JOBS", [job._replace(every=0.05) for job in jobs.JOBS if job.name == "sweep"])
    folder = tmp_path / "documents"
    folder.write_text("no folder yet")
    orphan = folder / content_path("ab" * 32)
    app = create_app(read_settings(database_url=database_url, documents_url=folder.as_uri()))
    with structlog.testing.capture_logs() as entries:
        async with app.router.lifespan_context(app):
            await _until(lambda: any(entry.get("what") == "sweep" for entry in entries))
            folder.unlink()
            orphan.parent.mkdir(parents=True)
            orphan.write_bytes(b"orphan")
            os.utime(orphan, (0, 0))
            await _until(lambda: not orphan.exists())
            await _until(lambda: any(entry.get("contents") == 1 for entry in entries))


async def _until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110  (nobody tells when the log has a line)
            await asyncio.sleep(0.01)


async def test_without_tables_it_is_not_ready(empty_database_url: str) -> None:
    app = create_app(read_settings(database_url=empty_database_url))
    async with http(app) as sender, app.router.lifespan_context(app):
        response = await sender.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {"status": "database not ready"}
        assert (await sender.get("/healthz")).status_code == 200


async def test_it_does_not_start_without_its_database() -> None:
    app = create_app(read_settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))
    with pytest.raises(OSError, match=r"."):
        async with app.router.lifespan_context(app):
            raise AssertionError("it has started")


async def test_the_home_page_leads_to_graphql() -> None:
    async with http(default_app()) as sender:
        response = await sender.get("/")
        assert (response.status_code, response.headers["location"]) == (307, "/graphql")
        assert (await sender.get("/nowhere")).status_code == 404
        # No address is guessed: what is sent to a wrong one, passwords and tokens of downloads, goes nowhere else.
        for method, path in (
            ("POST", "/graphql/"),
            ("GET", "/healthz/"),
            ("GET", "/documents/x/a.pdf/"),
            ("GET", "/pdf/x/"),
        ):
            response = await sender.request(method, path, headers={"host": "evil.example.com"})
            assert (response.status_code, response.headers.get("location")) == (404, None), path


async def test_neighbours_answer_get_and_head_only() -> None:
    async with http(default_app()) as sender:
        head = await sender.head("/healthz")
        assert (head.status_code, head.content) == (200, b"")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            for path in ("/healthz", "/readyz", "/"):
                response = await sender.request(method, path)
                assert response.status_code == 405, (method, path)
                assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}, (method, path)


async def test_no_other_origin_may_call_unless_it_is_listed(client: Client) -> None:
    asked = {"origin": DESK, "access-control-request-method": "POST"}
    response = await client.http.options("/graphql", headers=asked)
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers
    response = await client.http.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": DESK})
    assert response.status_code == 200
    assert [name for name in response.headers if name.startswith("access-control-allow")] == []


async def test_a_listed_origin_may_and_no_other() -> None:
    app = create_app(read_settings(cors_origins=f"{DESK}, http://localhost:5173"))
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    async with http(app) as sender:
        for origin in (DESK, "http://localhost:5173"):
            response = await sender.options("/graphql", headers={"origin": origin, **wanted})
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == origin
            response = await sender.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": origin})
            assert response.headers["access-control-allow-origin"] == origin
            assert "Origin" in response.headers["vary"]
            # The cookie of a session is SameSite=Strict: a page of another site has none to send.
            assert response.headers["access-control-allow-credentials"] == "true"
        for origin in ("https://evil.example.com", f"{DESK}.evil.example.com", "null", f"{DESK}:8443"):
            response = await sender.options("/graphql", headers={"origin": origin, **wanted})
            assert response.status_code == 400
            assert "access-control-allow-origin" not in response.headers
        for name in (
            "Idempotency-Key",
            "Counterfoil-Reason",
            "Counterfoil-Csrf",
            "Counterfoil-Session",
            "X-Request-Id",
            "Last-Event-ID",
            "Content-Encoding",
        ):
            sent = {"origin": DESK, **wanted, "access-control-request-headers": name}
            assert (await sender.options("/graphql", headers=sent)).status_code == 200
        sent = {"origin": DESK, **wanted, "access-control-request-headers": "X-Anything"}
        assert (await sender.options("/graphql", headers=sent)).status_code == 400


async def test_a_page_of_a_listed_origin_can_read_what_is_refused_and_what_failed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetch, 4.9: without these headers a script learns of a network error, and neither status nor the request's id."""

    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    async with http(create_app(read_settings(cors_origins=DESK, max_body=1024))) as sender:
        sender.headers["origin"] = DESK
        json = {"content-type": "application/json"}
        answers = {
            413: await sender.post("/graphql", content=b" " * 2000, headers=json),
            414: await sender.get("/graphql?query=" + "x" * 20_000),
            431: await sender.post("/graphql", headers={"x-much": "x" * 20_000}),
            406: await sender.get("/graphql?query=%7B__typename%7D", headers={"accept": "image/png"}),
            404: await sender.get("/nowhere"),
        }
        preflight = await sender.options("/graphql", headers={"access-control-request-method": "POST"})
        monkeypatch.setattr("counterfoil.door.view.View.__call__", broken)
        answers[500] = await sender.post("/graphql", json={"query": "{ __typename }"})
    for status, response in answers.items():
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == DESK, status
        exposed = response.headers["access-control-expose-headers"].split(", ")
        assert {"X-Request-Id", "Retry-After", "WWW-Authenticate"} <= set(exposed), status
        assert "Origin" in response.headers["vary"].split(", "), status
        if status != 404:
            assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8", status
            assert "Accept" in response.headers["vary"].split(", "), status
    for response in (preflight, *answers.values()):
        assert response.headers["x-request-id"].startswith("req_")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


async def test_each_serving_process_reads_its_environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[str] = []
    monkeypatch.setattr(logs, "configure", levels.append)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_GRAPHIQL", "false")
    monkeypatch.setenv("COUNTERFOIL_LOG_LEVEL", "warning")
    app = application()
    assert levels == ["warning"]
    async with http(app) as sender, app.router.lifespan_context(app):
        assert (await sender.get("/readyz")).status_code == 200
        assert (await sender.get("/graphql", headers={"accept": "text/html"})).status_code == 406
