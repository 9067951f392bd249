"""GraphQL over HTTP: Strawberry's view, with this product's context, errors and limits."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson
import strawberry
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from counterfoil.door.context import Unknown, context_of
from counterfoil.door.decoding import decode
from counterfoil.door.ending import Ending
from counterfoil.door.errors import OF_THE_BODY, refusal, shown
from counterfoil.door.operation import ANY, Sent, answers
from counterfoil.door.places import Full, Places
from counterfoil.door.requests import BodyTooLarge, request_id
from counterfoil.door.stream import EventStream, wants_stream
from counterfoil.door.uploads import Adapter, BadUpload, read_upload
from schema.context import Context


class View(GraphQL[Context, None]):
    """The endpoint /graphql."""

    request_adapter_class = Adapter

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        graphiql: bool,
        trusted_proxies: Collection[str],
        max_body: int,
        ending: Ending,
        places: Places,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if graphiql else None,
            subscription_protocols=(),
            multipart_uploads_enabled=True,
        )
        self._trusted_proxies = trusted_proxies
        self._max_body = max_body
        self._executable = schema
        self._ending = ending
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = HTTPRequest(scope, receive)
        try:
            response = await (self._stream(request) if wants_stream(request) else self.run(request))
        except HTTPException as error:
            response = refusal(error.status_code, error.reason)
        except BodyTooLarge as error:
            response = refusal(413, str(error))
        except BadUpload as error:
            response = refusal(400, str(error))
        except Unknown as error:
            response = refusal(401, str(error), "UNAUTHENTICATED")
        except Full as error:
            response = refusal(429, str(error), "LIMIT_EXCEEDED")
        await response(scope, receive, send)

    async def _stream(self, request: HTTPRequest) -> Response:
        """The results as an event stream, also the errors of a document (GraphQL over SSE)."""
        context = await self.get_context(request, Response())
        context.last_event_id = request.headers.get("last-event-id")
        data = await self.parse_http_body(Adapter(request))
        if isinstance(data, list):
            raise HTTPException(400, "The request must be a JSON object with `query` and `variables`.")
        sent = Sent(data.query, data.variables, data.operation_name, data.extensions)
        allowed = ANY - {OperationType.MUTATION} if request.method == "GET" else ANY
        place = self._places.take(context.request.client_address)
        return EventStream(answers(self._executable, sent, context, allowed), self._ending, place)

    async def get_context(self, request: HTTPRequest, response: Response) -> Context:  # type: ignore[override]  # no WebSockets here
        """What resolvers are told of the request."""
        request.state.context = context = await context_of(request, self._trusted_proxies)
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
        """The request's JSON."""
        return decode(data)

    def encode_json(self, data: object) -> bytes:
        """The response's JSON."""
        return orjson.dumps(data)

    async def process_result(self, request: HTTPRequest, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The response's body, with a code in every error and bugs masked."""
        for error in result.errors or ():
            if isinstance(error.original_error, OF_THE_BODY):
                raise error.original_error
        body = process_result(result)
        if result.errors:
            body["errors"] = [shown(error, request_id(request.scope)) for error in result.errors]
        return body
