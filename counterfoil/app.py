"""The application: the endpoint, its neighbours for machines that look after it, and their database."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import strawberry
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

import models
from counterfoil import jobs, logs
from counterfoil.api import build_schema
from counterfoil.door.cookies import Cookies
from counterfoil.door.crowd import Crowd
from counterfoil.door.documents import Documents
from counterfoil.door.ending import Ending
from counterfoil.door.errors import LoggedSchema
from counterfoil.door.layers import layers
from counterfoil.door.operation import Operations
from counterfoil.door.pace import Pace
from counterfoil.door.persisted import BadDocument, Persisted, load, trust
from counterfoil.door.places import Places
from counterfoil.door.sockets import Sockets
from counterfoil.door.stream import Streams
from counterfoil.door.view import View
from counterfoil.downloads import ROUTE, Downloads
from counterfoil.graphiql import ROUTE as ASSETS
from counterfoil.graphiql import GraphiQL
from counterfoil.mail_events import ROUTE as MAIL_EVENTS
from counterfoil.mail_events import MailEvents
from counterfoil.pdf_downloads import ROUTE as PDF_ROUTE
from counterfoil.pdf_downloads import PdfDownloads
from counterfoil.settings import BadSettings, Settings, read_settings, variable
from counterfoil.worker import Worker
from services import documents, mail

_log = structlog.get_logger("counterfoil.app")


def create_app(settings: Settings) -> Starlette:
    """The ASGI application; its lifespan opens and closes the database."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        database = settings.database()
        await database.start()
        models.bind(database)
        documents.bind(settings.storage())
        mail.bind(settings.mail())
        try:
            with ending.on_signals():
                async with _working(settings):
                    yield
        finally:
            await database.stop()

    # Where only known documents are taken, nobody explores.
    introspection = settings.introspection and not settings.only_trusted_documents
    known = Documents(settings.limits(), introspection=introspection)
    schema = build_schema(LoggedSchema, known, introspection=introspection)
    trusted = trusted_documents(settings, known, schema)
    persisted = Persisted(trusted, only_trusted=settings.only_trusted_documents)
    crowd, places, ending = Crowd(settings.max_operations), Places(settings.max_sockets), Ending()
    pace = Pace(settings.max_refusals)
    operations = Operations(schema, persisted, crowd, pace, settings.execution_timeout)
    streams = Streams(operations, places, ending)
    cookies = Cookies(settings.cors_origins, https=settings.https)
    graphiql = GraphiQL() if settings.graphiql and not settings.only_trusted_documents else None
    view = View(schema, persisted, crowd, streams, cookies, graphiql, settings)
    sockets = Sockets(operations, places, cookies, settings)
    routes = [
        Route("/graphql", view),
        WebSocketRoute("/graphql", sockets.serve),
        *([Route(ASSETS, graphiql.asset)] if graphiql is not None else []),
        *_neighbours(settings),
    ]
    app = Starlette(
        routes=routes,
        middleware=layers(settings, pace),
        lifespan=lifespan,
    )
    # Starlette would lead from /graphql/ to whatever host the request names, by plain http; passwords would follow.
    app.router.redirect_slashes = False
    return app


def _neighbours(settings: Settings) -> list[Route]:
    """What is not GraphQL: files, reports of mail services, and how this process is."""
    proxies = settings.trusted_proxies
    return [
        Route("/", _home),
        Route(ROUTE, Downloads(proxies).answer, methods=["GET"]),
        Route(PDF_ROUTE, PdfDownloads(proxies).answer, methods=["GET"]),
        Route(MAIL_EVENTS, MailEvents(settings.providers(), proxies).answer, methods=["POST"]),
        Route("/healthz", _healthz),
        Route("/readyz", _readyz),
    ]


def application() -> Starlette:
    """The application with the settings of the environment: what each serving process calls."""
    settings = read_settings()
    logs.configure(settings.log_level)
    app = create_app(settings)
    # The schema stays as long as the process: the garbage collector need not walk through it again and again.
    gc.collect()
    gc.freeze()
    return app


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[None]:
    """A worker beside the requests, unless the settings leave that to others."""
    if not settings.background:
        yield
        return
    worker = Worker(mail.current(), documents.current(), jobs.JOBS)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.end()
        await running


def trusted_documents(settings: Settings, known: Documents, schema: strawberry.Schema) -> dict[str, str]:
    """The texts of the trusted documents by their ids. BadSettings when one of them cannot be used."""
    if settings.trusted_documents is None:
        return {}
    try:
        found = load(settings.trusted_documents)
        trust(known, schema._schema, found.values())
    except BadDocument as error:
        raise BadSettings(f"{variable('trusted_documents')}: {error}") from None
    return {identifier: document.text for identifier, document in found.items()}


async def _home(_request: Request) -> Response:
    return RedirectResponse("/graphql")


async def _healthz(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def _readyz(_request: Request) -> Response:
    """The database answers, too, and has the tables."""
    try:
        await models.current().fetch("SELECT seq FROM event ORDER BY seq DESC LIMIT 1")
    except Exception:  # whatever the driver raises: the answer is that it is not ready, and the log says why
        _log.exception("not ready")
        return JSONResponse({"status": "database not ready"}, 503)
    return JSONResponse({"status": "ready"})
