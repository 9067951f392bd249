"""What is refused before GraphQL sees it: a status, a code for programs, and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import orjson
import structlog
from starlette.responses import Response

from counterfoil.door.media import GRAPHQL

_log = structlog.get_logger("counterfoil.graphql")

# RFC 9110, 15.5.6: a 405 says which methods there are.
METHODS = "GET, HEAD, OPTIONS, POST"


class Refused(Exception):
    """The request gets this answer and no other (GraphQL over HTTP, Status Codes)."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}


class BodyRefused(Refused):
    """What is wrong with a body may show only while an operation reads a file from it."""


def not_a_request(message: str) -> Refused:
    """The body can be read and is no well-formed GraphQL-over-HTTP request."""
    return Refused(422, message)


def bad_upload(message: str) -> BodyRefused:
    """A form is not what the multipart request specification asks for."""
    return BodyRefused(400, message)


def body_too_large(most: int) -> BodyRefused:
    """The body is longer than allowed, as it comes or unpacked.

    The connection stays: most clients read an answer only when they have sent all, which is thrown away as it comes.
    """
    return BodyRefused(413, f"The request's body is limited to {most:,} bytes.", "BODY_TOO_LARGE")


def body_too_slow(seconds: float) -> BodyRefused:
    """The body did not arrive in time."""
    return BodyRefused(
        408, f"The request's body did not arrive within {seconds:g} seconds.", "BODY_TIMEOUT", Connection="close"
    )


def refusal(refused: Refused) -> Response:
    """The answer: a GraphQL request error result, which has no `data` (GraphQL over HTTP, Body).

    It leaves one line in the log.
    """
    _log.info("refused", path="", code=refused.code)
    return error_response(refused.status, str(refused), {"code": refused.code}, refused.headers)


def error_response(
    status: int, message: str, extensions: Mapping[str, str], headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """A request error result with one error, which has these `extensions`."""
    body = orjson.dumps({"errors": [{"message": message, "extensions": dict(extensions)}]})
    # Its type is the same whatever is accepted; but whether there is an error may depend on that (406).
    own = {"Content-Type": f"{GRAPHQL}; charset=utf-8", "Vary": "Accept"}
    return Response(body, status, {**headers, **own})
