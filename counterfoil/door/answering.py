"""The answer to a GraphQL request: its body, its status code and its media type (GraphQL over HTTP, Response)."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson
from graphql import GraphQLSyntaxError
from starlette.datastructures import Headers
from starlette.responses import Response
from strawberry.types import ExecutionResult

from counterfoil.door.errors import OF_THE_BODY, code_of, is_bug, shown
from counterfoil.door.introspection import PAUSE
from counterfoil.door.media import GRAPHQL, listed, takes_gzip
from counterfoil.door.viewer import challenge

# Smaller answers fit into one packet as they are.
PACKED_FROM = 1024
# From this size on, packing would keep the others waiting.
_ASIDE_FROM = 64 * 1024
_LEVEL = 4

_OF_CODES = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "TOO_MANY_INTROSPECTIONS": 429, "BUSY": 503}
# RFC 9110, 10.2.3: when to try again, in seconds.
_TRY_AGAIN = {429: f"{PAUSE:.0f}", 503: "1"}
_VARY: Mapping[str, str] = MappingProxyType({"Vary": "Accept, Accept-Encoding"})


def body_of(result: ExecutionResult, identifier: str) -> dict[str, Any]:
    """The GraphQL result: of an execution with `data`, of a request error without (GraphQL, 7.1)."""
    body: dict[str, Any] = {}
    for error in result.errors or ():
        if isinstance(error.original_error, OF_THE_BODY):
            raise error.original_error
    if result.errors:
        body["errors"] = [shown(error, identifier) for error in result.errors]
    if was_executed(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def was_executed(result: ExecutionResult) -> bool:
    """Whether the errors, if any, are of the execution: those have a path, and errors of the request have none."""
    return result.data is not None or any(error.path is not None for error in result.errors or ())


def status_of(result: ExecutionResult, media: str) -> int:
    """The status code (GraphQL over HTTP, Status Codes)."""
    errors = result.errors or []
    if was_executed(result):
        # 294 is recommended beside the type that makes its meaning explicit only (Partial success).
        return 294 if errors and media == GRAPHQL else 200
    if any(is_bug(error) for error in errors):
        return 500
    if any(isinstance(error, GraphQLSyntaxError) for error in errors):
        return 400
    return next((_OF_CODES[code] for code in map(code_of, errors) if code in _OF_CODES), 422)


async def answer(result: ExecutionResult, media: str, sent: Headers, identifier: str) -> Response:
    """The response to a request with the headers `sent`, of which `media` is the type that it likes most."""
    status = status_of(result, media)
    content = orjson.dumps(body_of(result, identifier))
    # Clients that only know application/json get it with success: with other codes it could be from anybody (Body).
    kind = media if status < 300 else GRAPHQL
    headers = {**_VARY, "Content-Type": f"{kind}; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = challenge(sent)
    if status in _TRY_AGAIN:
        headers["Retry-After"] = _TRY_AGAIN[status]
    if len(content) >= PACKED_FROM and takes_gzip(listed(sent, "accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        content = await _packed(content)
    return Response(content, status, headers)


async def _packed(content: bytes) -> bytes:
    if len(content) < _ASIDE_FROM:
        return gzip.compress(content, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, content, _LEVEL, mtime=0)
