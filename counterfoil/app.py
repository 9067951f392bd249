"""The application: the endpoint, its neighbours for machines that look after it, and their database."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import strawberry
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

import models
from counterfoil import logs
from counterfoil.api import build_schema
from counterfoil.door.context import COST_HEADER, REASON_HEADER
from counterfoil.door.crowd import Crowd
from counterfoil.door.documents import Documents
from counterfoil.door.ending import Ending
from counterfoil.door.errors import LoggedSchema
from counterfoil.door.operation import Operations
from counterfoil.door.persisted import BadDocument, Persisted, load, trust
from counterfoil.door.places import Places
from counterfoil.door.requests import HEADER, Requests
from counterfoil.door.sockets import Sockets
from counterfoil.door.stream import Streams
from counterfoil.door.uploads import HEADERS as UPLOAD_HEADERS
from counterfoil.door.view import View
from counterfoil.downloads import ROUTE, Downloads
from counterfoil.settings import BadSettings, Settings, read_settings, variable
from services import documents
from services.documents.sweeping import sweep

_log = structlog.get_logger("counterfoil.app")

# Seconds between two sweeps of the documents' storage.
SWEEP_EVERY = 3600


def create_app(settings: Settings) -> Starlette:
    """The ASGI application; its lifespan opens and closes the database."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        database = settings.database()
        await database.start()
        models.bind(database)
        documents.bind(settings.storage())
        sweeping = asyncio.create_task(_sweep_hourly())
        try:
            with ending.on_signals():
                yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await database.stop()

    # Where only known documents are taken, nobody explores.
    introspection = settings.introspection and not settings.only_trusted_documents
    known = Documents(settings.limits(), introspection=introspection)
    schema = build_schema(LoggedSchema, known, introspection=introspection)
    trusted = trusted_documents(settings, known, schema)
    persisted = Persisted(trusted, only_trusted=settings.only_trusted_documents)
    crowd, places, ending = Crowd(settings.max_operations), Places(settings.max_sockets), Ending()
    operations = Operations(schema, persisted, crowd, settings.execution_timeout)
    streams = Streams(operations, places, ending)
    graphiql = settings.graphiql and not settings.only_trusted_documents
    view = View(schema, persisted, crowd, streams, settings, graphiql=graphiql)
    sockets = Sockets(operations, places, settings)
    return Starlette(
        routes=[
            Route("/", _home),
            Route("/graphql", view),
            WebSocketRoute("/graphql", sockets.serve),
            Route(ROUTE, Downloads(settings.trusted_proxies).answer, methods=["GET"]),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz),
        ],
        middleware=[
            Middleware(Requests, settings),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=[
                    *(
                        "Authorization",
                        "Content-Type",
                        "Idempotency-Key",
                        REASON_HEADER,
                        COST_HEADER,
                        HEADER,
                        *UPLOAD_HEADERS,
                    )
                ],
                expose_headers=[HEADER, "Content-Disposition", "Content-Range", "ETag"],
                max_age=600,
            ),
        ],
        lifespan=lifespan,
    )


def application() -> Starlette:
    """The application with the settings of the environment: what each serving process calls."""
    settings = read_settings()
    logs.configure(settings.log_level)
    app = create_app(settings)
    # The schema stays as long as the process: the garbage collector need not walk through it again and again.
    gc.collect()
    gc.freeze()
    return app


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


async def _sweep_hourly() -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY)
        try:
            swept = await sweep(documents.current())
        except Exception:  # the database or the storage is away for now: the next hour may be better
            _log.exception("sweep failed")
        else:
            _log.info("swept", uploads=swept.uploads, contents=swept.contents, bytes=swept.bytes)


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
