"""GraphQL over HTTP: Strawberry's view, with this product's context, errors and limits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Any

import orjson
import strawberry
import structlog
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext

from audit import Request
from counterfoil.admission import ENDED, SIGN_IN
from counterfoil.requests import BodyTooLarge, client_address, request_id
from counterfoil.uploads import Adapter, BadUpload, check_header, is_upload, read_upload
from models import Fault
from schema.context import Context
from services import values
from services.viewer import find_viewer

_log = structlog.get_logger("counterfoil.graphql")

REASON_HEADER = "Counterfoil-Reason"
LONGEST_REASON = 500

# What is wrong with a body may show only while an operation reads a file from it.
_OF_THE_BODY = (BadUpload, BodyTooLarge, ClientDisconnect)

_SUGGESTION = re.compile(r" Did you mean [^?]*\?")

MASKED = "Something went wrong here. Tell whoever runs this server the request's ID."


class _Unknown(Exception):
    """Somebody who is not signed in would send a file."""


def is_bug(error: GraphQLError) -> bool:
    """Whether an error was raised by code of ours that should not raise: neither a request's fault nor refused."""
    if error.original_error is None or isinstance(error.original_error, (GraphQLError, *_OF_THE_BODY)):
        return False
    # With a place in the document and none in the answer, it is a literal that cannot be read.
    return error.path is not None or not error.nodes


class LoggedSchema(strawberry.Schema):
    """Strawberry's schema, whose errors are logged once: bugs in full, others as one line without their values."""

    @staticmethod
    def remove_field_suggestion(error: GraphQLError) -> None:
        """Without introspection no error suggests a name: Strawberry itself takes away those of fields only."""
        error.message = _SUGGESTION.sub("", error.message)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what happened."""
        for error in errors:
            path = ".".join(str(part) for part in error.path or ())
            if is_bug(error):
                _log.error("bug", path=path, exc_info=error.original_error)
            else:
                _log.info("refused", path=path, code=code_of(error))


def code_of(error: GraphQLError) -> str:
    """The error's code; what graphql-core itself refuses is a BAD_REQUEST."""
    return str((error.extensions or {}).get("code", "BAD_REQUEST"))


class View(GraphQL[Context, None]):
    """The endpoint /graphql."""

    request_adapter_class = Adapter

    def __init__(
        self, schema: strawberry.Schema, *, graphiql: bool, trusted_proxies: Collection[str], max_body: int
    ) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if graphiql else None,
            subscription_protocols=(),
            multipart_uploads_enabled=True,
        )
        self._trusted_proxies = trusted_proxies
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = HTTPRequest(scope, receive)
        try:
            response = await self.run(request)
        except HTTPException as error:
            response = refusal(error.status_code, error.reason)
        except BodyTooLarge as error:
            response = refusal(413, str(error))
        except BadUpload as error:
            response = refusal(400, str(error))
        except _Unknown as error:
            response = refusal(401, str(error), "UNAUTHENTICATED")
        await response(scope, receive, send)

    async def get_context(self, request: HTTPRequest, response: Response) -> Context:  # type: ignore[override]  # no WebSockets here
        """Who asks, found by the bearer token. Of those whom nobody knows, no body with a file is read."""
        upload = is_upload(request.scope)
        if upload:
            check_header(request.headers)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        viewer = await find_viewer(token.strip()) if scheme.lower() == "bearer" else None
        actor, session_id = viewer or (None, None)
        if upload and actor is None:
            raise _Unknown(ENDED if token else SIGN_IN)
        key = request.headers.get("idempotency-key")
        request.state.context = context = Context(
            request=Request(
                request_id(request.scope), client_address(request, self._trusted_proxies), _reason(request)
            ),
            actor=actor,
            session_id=session_id,
            refused=bool(token) and viewer is None,
            token=token.strip() if viewer is not None else None,
            upload=upload,
            idempotency_key=key,
            body_hash=hashlib.sha256(await request.body()).hexdigest() if key is not None and not upload else "",
        )
        return context

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """A request is one JSON object."""
        try:
            return await super().parse_http_body(request)
        except (AttributeError, TypeError):
            raise HTTPException(400, "The request must be a JSON object with `query` and `variables`.") from None

    async def parse_multipart(self, request: AsyncHTTPRequestAdapter) -> dict[str, Any]:
        """The operation of a request with a file, which is still to be read."""
        if not isinstance(request, Adapter):
            raise TypeError("requests come with this view's adapter")
        operation, digest = await read_upload(request.http, self.parse_json, self._max_body)
        request.http.state.context.body_hash = digest
        if not isinstance(operation, dict):
            raise HTTPException(400, "`operations` must be a JSON object with `query` and `variables`.")
        return operation

    def decode_json(self, data: str | bytes) -> object:
        """JSON without what no database takes: invalid Unicode, and null characters anywhere."""
        text = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if b"\\u0000" in text and _has_null(orjson.loads(text)):
            raise HTTPException(400, "Text must not hold null characters.")
        return orjson.loads(text)

    def encode_json(self, data: object) -> bytes:
        """The response's JSON."""
        return orjson.dumps(data)

    async def process_result(self, request: HTTPRequest, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The response's body, with a code in every error and bugs masked."""
        for error in result.errors or ():
            if isinstance(error.original_error, _OF_THE_BODY):
                raise error.original_error
        body = process_result(result)
        if result.errors:
            body["errors"] = [_shown(error, request_id(request.scope)) for error in result.errors]
        return body


def _reason(request: HTTPRequest) -> str | None:
    """Why the sender changes something, for history: one line of UTF-8 in a header of its own."""
    sent = request.headers.get(REASON_HEADER)
    if sent is None:
        return None
    try:
        return values.line(sent.encode("latin-1").decode(), ("reason",), longest=LONGEST_REASON)
    except (UnicodeDecodeError, Fault):
        message = f"{REASON_HEADER} must be one line of UTF-8 text with 1 to {LONGEST_REASON} characters."
        raise HTTPException(400, message) from None


def refusal(status: int, message: str, code: str = "BAD_REQUEST") -> Response:
    """What is not a GraphQL request gets an answer in GraphQL's form."""
    headers = {"Allow": "GET, POST"} if status == 405 else None
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status, headers)


def _shown(error: GraphQLError, identifier: str) -> Any:
    shown = error.formatted
    if is_bug(error):
        return {**shown, "message": MASKED, "extensions": {"code": "INTERNAL_ERROR", "requestId": identifier}}
    return {**shown, "extensions": {**(error.extensions or {}), "code": code_of(error)}}


def _has_null(value: object) -> bool:
    # Without recursion: JSON may nest deeper than Python's stack.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
    return False
