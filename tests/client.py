"""The GraphQL client of the tests: somebody with given permissions who talks to the application in this process.

Users and sessions are made through services, without signing in: to hash a password takes long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from graphql import OperationDefinitionNode, parse
from starlette.applications import Starlette

import models
from audit import SYSTEM, Change, Request, transact
from counterfoil.app import create_app
from counterfoil.settings import read_settings
from models import Permission, Row, User, UserRole, clock, session
from models.identifier import new_id
from models.rows import by_ids
from services import passwords, tokens, user_roles, users
from services.sign_in import ABSOLUTE

OPERATIONS = (Path(__file__).parent / "schema" / "operations.graphql").read_text("utf-8")
# Each operation's text by its name.
BY_NAME = {
    definition.name.value: OPERATIONS[definition.loc.start : definition.loc.end]
    for definition in parse(OPERATIONS).definitions
    if isinstance(definition, OperationDefinitionNode) and definition.name and definition.loc
}

PASSWORD = "correct horse battery staple 9"
ClientWith = Callable[..., Awaitable["Client"]]
_numbers = count(1)


@cache
def default_app() -> Starlette:
    """The application with default settings. Its lifespan is not run: it works on the database that a test binds."""
    return create_app(read_settings())


@dataclass(frozen=True)
class File:
    """A file in the variables of a request: sent as its own part of a multipart request."""

    name: str
    content: bytes


class Client:
    """Somebody who sends requests. `user` is their row, or None; without `token` they are anonymous.

    After each request `response` is what came back and `errors` are its top-level errors.
    """

    def __init__(self, token: str | None = None, user: Row | None = None, *, app: Starlette | None = None) -> None:
        self.token = token
        self.user = user
        self.errors: list[dict[str, Any]] = []
        self.response = httpx.Response(204)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app or default_app()),
            base_url="http://counterfoil.test",
            headers={"authorization": f"Bearer {token}"} if token else {},
        )

    async def run(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data that a document answers, or an operation of operations.graphql by its name; {} without data."""
        return await self.send(document, variables)

    async def send(
        self, document: str, variables: Mapping[str, Any], headers: Mapping[Any, str | bytes] | None = None
    ) -> dict[str, Any]:
        """Like `run`, with headers."""
        named = document in BY_NAME
        body: dict[str, Any] = {"query": BY_NAME.get(document, document), "variables": dict(variables)}
        if named:
            body["operationName"] = document
        file = (body["variables"].get("input") or {}).get("file")
        if isinstance(file, File):
            sent = {"headers": {"Counterfoil-Upload": "1", **(headers or {})}, **form(body, file)}
            self.response = await self.http.post("/graphql", **sent)
        else:
            self.response = await self.http.post("/graphql", json=body, headers=dict(headers or {}))
        answer = self.response.json()
        self.errors = answer.get("errors", [])
        return answer.get("data") or {}

    async def change(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The payload of a document's only mutation, which must succeed."""
        payload = await self._payload(document, variables)
        assert payload["errors"] == []
        return payload

    async def fault(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The only expected error of a document's only mutation, which must fail."""
        [error] = (await self._payload(document, variables))["errors"]
        assert isinstance(error, dict)
        return error

    @property
    def codes(self) -> list[str]:
        """The codes of the last top-level errors."""
        return [error["extensions"]["code"] for error in self.errors]

    async def _payload(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        data = await self.send(document, variables)
        assert self.errors == []
        [payload] = data.values()
        assert isinstance(payload, dict)
        return payload


def form(body: Mapping[str, Any], file: File) -> dict[str, Any]:
    """What httpx posts for a request with `file` in `variables.input.file`."""
    variables = {**body["variables"], "input": {**body["variables"]["input"], "file": None}}
    fields = {"operations": json.dumps({**body, "variables": variables}), "map": '{"0": ["variables.input.file"]}'}
    return {"data": fields, "files": {"0": (file.name, file.content)}}


async def administrator(*, app: Starlette | None = None) -> Client:
    """Signed in with every permission, in a database that has the defaults."""
    return await signed_in("Ada Admin", _built_in, app=app)


async def first_administrator() -> None:
    """Add the administrator of a template, without a session. Nobody else has their number."""
    await _new_user("Ada Admin", 0, _built_in)


async def known_administrator() -> Client:
    """The first administrator, signed in, in a copy of that template."""
    [known] = await models.current().fetch('SELECT id FROM "user" WHERE email = ?', "ada.admin.0@example.com")
    [user] = await by_ids(User)([known["id"]])
    assert user is not None
    return Client(await new_session(user["id"]), user)


async def _built_in(change: Change) -> Row:
    [role] = await change.where(UserRole, built_in="ADMINISTRATOR")
    return role


async def client_with(
    permissions: Iterable[Permission] = (), *, name: str = "Uwe User", app: Starlette | None = None
) -> Client:
    """Signed in with these permissions; without any, without a user role."""
    wanted = list(permissions)

    async def role(change: Change) -> Row | None:
        if not wanted:
            return None
        return await user_roles.create(change, {"name": f"Role {next(_numbers)}", "permissions": wanted})

    return await signed_in(name, role, app=app)


async def signed_in(
    name: str, make_role: Callable[[Change], Awaitable[Row | None]], *, app: Starlette | None = None
) -> Client:
    """A new user with a session; their email address is made of the name and a number, the password is PASSWORD
    once `set_password` has been called.
    """
    user = await _new_user(name, next(_numbers), make_role)
    return Client(await new_session(user["id"]), user, app=app)


async def _new_user(name: str, number: int, make_role: Callable[[Change], Awaitable[Row | None]]) -> Row:
    email = f"{re.sub(r'[^a-z]+', '.', name.lower())}.{number}@example.com"

    async def work(change: Change) -> Row:
        role = await make_role(change)
        return await users.create(change, {"name": name, "email": email, "role_id": role and role["id"]}, None)

    user, _ = await transact(SYSTEM, Request.new(), work)
    return user


async def new_session(user_id: str) -> str:
    """The token of a new session of the user."""
    token = tokens.new_token(tokens.SESSION_PREFIX)
    now = clock.now()
    async with models.current().write():
        await session.create(new_id("ses"), user_id, tokens.token_hash(token), now, now + ABSOLUTE)
    return token


_hashes: list[str] = []


async def set_password(user_id: str) -> None:
    """Give the user the password PASSWORD; it is hashed once in each process."""
    if not _hashes:
        _hashes.append(await passwords.hash_password(PASSWORD))
    await transact(SYSTEM, Request.new(), lambda change: users.update(change, user_id, None, {}, _hashes[0]))


@contextmanager
def observed(database: models.Database) -> Iterator[list[str]]:
    """The SQL statements that the database is given inside the block, without BEGIN, COMMIT and ROLLBACK."""
    seen: list[str] = []
    database.statements.append(seen.append)
    try:
        yield seen
    finally:
        database.statements.remove(seen.append)
