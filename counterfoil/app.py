"""The application: the endpoint, its neighbours for machines that look after it, and their database."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import models
from counterfoil import jobs, logs
from counterfoil.admission import Admission
from counterfoil.api import build_schema
from counterfoil.downloads import ROUTE, Downloads
from counterfoil.mail_events import ROUTE as MAIL_EVENTS
from counterfoil.mail_events import MailEvents
from counterfoil.pdf_downloads import ROUTE as PDF_ROUTE
from counterfoil.pdf_downloads import PdfDownloads
from counterfoil.requests import HEADER, Requests
from counterfoil.settings import Settings, read_settings
from counterfoil.uploads import HEADERS as UPLOAD_HEADERS
from counterfoil.view import REASON_HEADER, LoggedSchema, View
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
            async with _working(settings):
                yield
        finally:
            await database.stop()

    schema = build_schema(LoggedSchema, Admission, introspection=settings.introspection)
    view = View(
        schema, graphiql=settings.graphiql, trusted_proxies=settings.trusted_proxies, max_body=settings.max_body
    )
    return Starlette(
        routes=[
            Route("/", _home),
            Route("/graphql", view),
            Route(ROUTE, Downloads(settings.trusted_proxies).answer, methods=["GET"]),
            Route(PDF_ROUTE, PdfDownloads(settings.trusted_proxies).answer, methods=["GET"]),
            Route(MAIL_EVENTS, MailEvents(settings.providers(), settings.trusted_proxies).answer, methods=["POST"]),
            Route("/healthz", _healthz),
            Route("/readyz", _readyz),
        ],
        middleware=[
            Middleware(Requests, max_body=settings.max_body, max_upload=settings.max_upload),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=[
                    *("Authorization", "Content-Type", "Idempotency-Key", REASON_HEADER, HEADER, *UPLOAD_HEADERS)
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
