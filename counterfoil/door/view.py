"""GraphQL over HTTP, first edition (September 2026): Strawberry's view, with the answers that the edition asks for.

A request comes in through `Requests`, is read by `parameters`, its document found by `persisted`, its sender by
`context`; Strawberry runs it with `admission`, and `answering` makes the response.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from counterfoil.door import parameters
from counterfoil.door.answering import answer
from counterfoil.door.context import context_of
from counterfoil.door.cookies import Cookies
from counterfoil.door.crowd import Crowd
from counterfoil.door.media import GRAPHQL, HTML, JSON, listed, preferred
from counterfoil.door.parameters import Parameters
from counterfoil.door.patience import at_most
from counterfoil.door.persisted import Persisted
from counterfoil.door.refusing import METHODS, Refused, not_a_request, refusal
from counterfoil.door.requests import request_id
from counterfoil.door.stream import EVENT_STREAM, Streams
from counterfoil.door.uploads import is_upload
from counterfoil.graphiql import GraphiQL
from counterfoil.settings import Settings
from schema.context import Context

_OFFERED = (GRAPHQL, JSON)
_ALLOWED = {
    "GET": {OperationType.QUERY},
    "HEAD": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


class View(GraphQL[Context, None]):
    """The endpoint /graphql."""

    def __init__(
        self,
        schema: Schema,
        persisted: Persisted,
        crowd: Crowd,
        streams: Streams,
        cookies: Cookies,
        graphiql: GraphiQL | None,
        settings: Settings,
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._persisted = persisted
        self._settings = settings
        self._crowd = crowd
        self._streams = streams
        self._cookies = cookies
        self._graphiql = graphiql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = HTTPRequest(scope, receive)
        try:
            response = await self._answered(request)
        except Refused as refused:
            response = refusal(refused)
        await response(scope, receive, send)

    async def _answered(self, request: HTTPRequest) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": METHODS})
        if request.method not in _ALLOWED:
            raise Refused(405, f"GraphQL comes by {METHODS}.", "METHOD_NOT_ALLOWED", Allow=METHODS)
        if self._graphiql is not None and _wants_page(request):
            return self._graphiql.page()
        offered = _OFFERED if is_upload(request.scope) else (*_OFFERED, EVENT_STREAM)
        media = preferred(listed(request.headers, "accept"), offered)
        if media is None:
            told = f"Accept {GRAPHQL}, {JSON} or {EVENT_STREAM}: there is nothing else."
            raise Refused(406, told, "NOT_ACCEPTABLE")
        asked, context = await self._read(request)
        if media == EVENT_STREAM:
            # Its head, where cookies are set, goes before what signIn answers.
            context.in_cookie = False
            if request.method != "POST":
                # The end of the connection, for which a stream listens, comes after the body, which nobody has read.
                await request.body()
            return self._streams.answer(request, asked, context)
        text = self._persisted.text_of(asked, context)
        with self._crowd.joined(context):
            result = await self._run(text, asked, context, request.method)
        response = await answer(result, media, request.headers, request_id(request.scope))
        self._cookies.keep(response, context.new_cookie)
        return response

    async def _read(self, request: HTTPRequest) -> tuple[Parameters, Context]:
        """What is asked, and by whom. Whoever sends a file is known before any of it is read."""
        if is_upload(request.scope):
            context = await self._context(request)
            asked = await parameters.of_form(request, self._settings.max_body)
        elif request.method == "POST":
            asked = await parameters.of_post(request, self._settings.max_body)
            context = await self._context(request)
        else:
            asked = parameters.of_url(request)
            context = await self._context(request)
        return asked, context

    async def _context(self, request: HTTPRequest) -> Context:
        async with at_most(self._settings.execution_timeout):
            return await context_of(request, self._settings.trusted_proxies, self._cookies)

    async def _run(self, text: str, asked: Parameters, context: Context, method: str) -> ExecutionResult:
        try:
            async with at_most(self._settings.execution_timeout) as patience:
                if asked.file is not None:
                    # Only who reads a file waits for its sender: a query in a form has no more time than others.
                    asked.file.begins = partial(patience.extend, self._settings.upload_timeout)
                return await self.schema.execute(
                    text,
                    variable_values=asked.variables,
                    context_value=context,
                    operation_name=asked.operation_name,
                    operation_extensions=dict(asked.extensions),
                    allowed_operation_types=_ALLOWED[method],
                )
        except MissingQueryError:
            raise Refused(400, "The document is empty.") from None
        except CannotGetOperationTypeError as error:
            raise not_a_request(error.as_http_error_reason()) from None
        except InvalidOperationTypeError as error:
            if method != "POST" and error.operation_type is OperationType.MUTATION:
                # GraphQL over HTTP, GET: the methods that this operation allows.
                raise Refused(405, "Mutations come by POST.", "METHOD_NOT_ALLOWED", Allow="POST") from None
            raise not_a_request(f"A subscription needs Accept: {EVENT_STREAM}, or a WebSocket.") from None


def _wants_page(request: HTTPRequest) -> bool:
    """Whether a browser asks for GraphiQL: a URL without a document, in a type that people read."""
    if request.method == "POST":
        return False
    if preferred(listed(request.headers, "accept"), (*_OFFERED, HTML)) != HTML:
        return False
    # `extensions` alone may name a document, too.
    return request.query_params.keys().isdisjoint(("query", "documentId", "extensions"))
