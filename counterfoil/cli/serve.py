"""`serve`: the HTTP server, after everything that it needs is there."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from counterfoil import logs
from counterfoil.cli.alone import alone
from counterfoil.cli.failing import Refused, one_line_errors
from counterfoil.cli.preparing import prepare
from counterfoil.door.protocol import PatientProtocol
from counterfoil.settings import Settings, read_settings

_GRACE_SECONDS = 10


@one_line_errors()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [COUNTERFOIL_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 for a free one. [COUNTERFOIL_PORT, 8000]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes. [COUNTERFOIL_WORKERS, 1]")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty database with demo data first.")] = False,
) -> None:
    """Serve the API at /graphql."""
    settings = read_settings(host=host, port=port, workers=workers)
    if settings.workers > 1 and settings.on_sqlite:
        raise Refused(
            "SQLite is served by one process: its one writer connection and its checkpoints are that process's own."
            " Use --workers 1, or PostgreSQL."
        )
    if settings.trusted_documents is not None:
        from counterfoil.app import create_app

        # One that is not valid is told here, once, and not by each process.
        create_app(settings)
    with _bound(settings) as listener, alone(settings):
        asyncio.run(prepare(settings, demo=demo))
        typer.echo(f"Serving {settings.shown_database_url} at {_address(listener)}/graphql", err=True)
        _run(settings, listener)


def _bound(settings: Settings) -> socket.socket:
    """The socket, bound before anything is prepared: where the port is taken, nothing is done in vain."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise Refused(f"cannot listen on {settings.host}, port {settings.port}: {reason}") from error
    listener.set_inheritable(True)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listener: socket.socket) -> None:
    logs.configure(settings.log_level)
    patient: Any = partial(
        PatientProtocol, rest_seconds=settings.body_timeout, rest_bytes=settings.max_body + settings.max_upload
    )
    config = uvicorn.Config(
        "counterfoil.app:application",
        factory=True,
        lifespan="on",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application believes its trusted proxies, and nobody else
        timeout_graceful_shutdown=_GRACE_SECONDS,
        http=patient,
        ws="counterfoil.door.socket_protocol:SocketProtocol",
        ws_max_size=settings.max_body,
        ws_per_message_deflate=False,  # it would keep tens of kilobytes for each idle socket
        timeout_keep_alive=settings.header_timeout,
        h11_max_incomplete_event_size=settings.max_url + settings.max_headers,
    )
    if settings.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        raise typer.Exit(1)
