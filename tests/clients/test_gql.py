"""The Python client `gql`: over HTTP with httpx, over WebSockets with websockets."""

from __future__ import annotations

import io
from typing import Any

import pytest
from gql import Client, FileVar, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosedError

from tests.clients.conftest import Served

pytestmark = pytest.mark.anyio

SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"
CREATE = """
mutation ($input: CreateCustomerInput!) {
  createCustomer(input: $input) { customer { id } events { seq } errors { code field } }
}"""
CUSTOMER = "query ($id: ID!) { customer(id: $id) { name } }"
UPLOAD = "mutation ($input: UploadDocumentInput!) { uploadDocument(input: $input) { document { name size } } }"
LAST = "query ($filter: HistoryFilter) { history(first: 1, filter: $filter) { edges { cursor } } }"
FEED = """
subscription ($after: String, $filter: HistoryFilter) {
  historyFeed(after: $after, filter: $filter) { cursor event { seq } }
}"""
FILTER = {"actions": ["CUSTOMER_CREATED"]}


def over_http(served: Served, **headers: str) -> HTTPXAsyncTransport:
    url = served.url
    return HTTPXAsyncTransport(url, headers=headers, timeout=60)


def over_socket(served: Served, **payload: str) -> WebsocketsTransport:
    url = served.url.replace("http", "ws", 1)
    return WebsocketsTransport(url, init_payload=payload)


async def run(session: Any, document: str, **variables: Any) -> Any:
    request = gql(document)
    request.variable_values = variables
    [result] = (await session.execute(request)).values()
    return result


@pytest.fixture
async def authorization(served: Served) -> dict[str, str]:
    """What somebody who has signed in sends."""
    async with Client(transport=over_http(served)) as session:
        signed_in = await run(session, SIGN_IN, input={"email": served.email, "password": served.password})
    assert signed_in["errors"] == []
    return {"Authorization": f"Bearer {signed_in['token']}"}


async def test_over_http_with_the_schema_that_the_server_tells(served: Served, authorization: dict[str, str]) -> None:
    transport = over_http(served, **authorization)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        created = await run(session, CREATE, input={"name": "By gql"})
        identifier = created["customer"]["id"]
        assert await run(session, CUSTOMER, id=identifier) == {"name": "By gql"}
        refused = await run(session, CREATE, input={"name": ""})
        assert refused["errors"] == [{"code": "INVALID", "field": ["input", "name"]}]
    async with Client(transport=over_http(served, **authorization, **{"Counterfoil-Upload": "1"})) as session:
        file = FileVar(io.BytesIO(b"Terms: 60 days\n"), filename="terms.txt", content_type="text/plain")
        request = gql(UPLOAD)
        request.variable_values = {"input": {"customerId": identifier, "file": file}}
        answer = await session.execute(request, upload_files=True)
    assert answer["uploadDocument"]["document"] == {"name": "terms.txt", "size": 15}


async def test_errors_over_http_are_errors_of_the_query(served: Served, authorization: dict[str, str]) -> None:
    for headers, document, code in (
        (authorization, "{ customers { nonsense } }", "BAD_REQUEST"),
        ({}, "{ viewer { permissions } }", "UNAUTHENTICATED"),
        ({"Authorization": "Bearer wrong"}, "{ viewer { permissions } }", "UNAUTHENTICATED"),
    ):
        async with Client(transport=over_http(served, **headers)) as session:
            with pytest.raises(TransportQueryError) as raised:
                await run(session, document)
        assert raised.value.errors is not None
        assert raised.value.errors[0]["extensions"]["code"] == code


async def test_a_socket_has_queries_mutations_and_a_feed_that_goes_on_after_its_cursor(
    served: Served, authorization: dict[str, str]
) -> None:
    happened: list[int] = []
    received: list[int] = []
    async with Client(transport=over_socket(served, **authorization)) as session:
        created = await run(session, CREATE, input={"name": "The last before"})
        [newest] = (await run(session, LAST, filter=FILTER))["edges"]
        after = newest["cursor"]
    for round_ in range(3):
        async with Client(transport=over_socket(served, **authorization)) as session:
            # Nobody listened when the first of the two happened.
            for name in ("Missed", "Heard"):
                created = await run(session, CREATE, input={"name": f"{name} {round_}"})
                happened += [event["seq"] for event in created["events"]]
            request = gql(FEED)
            request.variable_values = {"after": after, "filter": FILTER}
            async for result in session.subscribe(request):
                after = result["historyFeed"]["cursor"]
                received.append(result["historyFeed"]["event"]["seq"])
                if len(received) == len(happened):
                    break
            # The feed is over, the socket is not.
            assert (await run(session, LAST, filter=FILTER))["edges"][0]["cursor"] == after
    assert received == happened


async def test_errors_over_a_socket(served: Served, authorization: dict[str, str]) -> None:
    async with Client(transport=over_socket(served, **authorization)) as session:
        with pytest.raises(TransportQueryError, match="Cannot query field 'nonsense'"):
            await run(session, "{ customers { nonsense } }")
        with pytest.raises(TransportQueryError, match="Cannot query field 'nonsense'"):
            await anext(session.subscribe(gql("subscription { historyFeed { nonsense } }")))
    with pytest.raises(TransportConnectionFailed) as raised:
        async with Client(transport=over_socket(served)):
            pass
    closed = raised.value.__cause__
    assert isinstance(closed, ConnectionClosedError)
    assert closed.rcvd is not None
    assert (closed.rcvd.code, closed.rcvd.reason) == (4403, "Forbidden")
