"""Requests with a file, after the GraphQL multipart request specification, read piece by piece.

https://github.com/jaydenseric/graphql-multipart-request-spec: first the part `operations`, then `map`, then the file.
The operation runs when the file begins; its bytes come when a mutation asks for them. One request carries one file.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from counterfoil.door.media import content_type
from counterfoil.door.refusing import Refused, bad_upload
from schema.upload import IncomingFile

# Browsers ask for permission before they send one of these to another origin, which they do not for a form.
HEADERS = ("Counterfoil-Upload", "Apollo-Require-Preflight", "X-Requested-With")

_INDEX = re.compile(r"[0-9]{1,9}")


def is_upload(scope: Scope) -> bool:
    """Whether the request says that it is a form with a file for the API."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != "/graphql":
        return False
    return content_type(Headers(scope=scope).get("content-type"))[0] == "multipart/form-data"


def check_header(headers: Headers) -> None:
    """Refused with 400: a request that a form on somebody else's page could have sent."""
    if not any(name in headers for name in HEADERS):
        raise Refused(400, f"Send the header {HEADERS[0]}, with any value, together with a multipart request.")


class Arriving:
    """The file as it comes. `begins` is called when somebody starts to read it, which nobody may ever do."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.begins: Callable[[], None] | None = None
        self._pieces = pieces

    async def pieces(self) -> AsyncIterator[bytes]:
        """What it holds."""
        if self.begins is not None:
            self.begins()
        async for piece in self._pieces:
            yield piece


class Upload(NamedTuple):
    """What a multipart request holds: GraphQL's operation with the `file` in it, and the digest of all but the file."""

    operation: Any
    digest: str
    file: Arriving


async def read_upload(request: Request, decode: Callable[[bytes], Any], longest: int) -> Upload:
    """The request up to where the file begins. `operations` and `map` have at most `longest` bytes each. Refused."""
    parts = _Parts(request)
    operations = await parts.field("operations", longest)
    files = await parts.field("map", longest)
    operation, mapped = decode(operations), decode(files)
    name, path = _mapped(mapped)
    digest = hashlib.sha256(hashlib.sha256(operations).digest() + hashlib.sha256(files).digest()).hexdigest()
    part = await parts.next()
    if part is None:
        raise bad_upload(f"The part {name} is missing: `map` names it.")
    if part.name != name or part.filename is None:
        raise bad_upload(f"After `map` comes the file: a part with the name {name} and a filename.")
    file = Arriving(parts.last())
    _put(operation, path, IncomingFile(part.filename, file.pieces(), digest))
    return Upload(operation, digest, file)


class _Part(NamedTuple):
    name: str
    filename: str | None


class _Parts:
    """The parts of a form in their order, parsed as far as somebody asks."""

    def __init__(self, request: Request) -> None:
        boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary")
        if not boundary:
            raise bad_upload("The content type names no boundary.")
        self._stream = request.stream()
        self._happened: deque[tuple[str, bytes]] = deque()
        self._header = b"", b""
        keep = self._keep
        callbacks: Any = {
            "on_part_begin": lambda: keep("part"),
            "on_header_field": lambda data, start, end: keep("header", data[start:end]),
            "on_header_value": lambda data, start, end: keep("value", data[start:end]),
            "on_header_end": lambda: keep("header end"),
            "on_headers_finished": lambda: keep("body"),
            "on_part_data": lambda data, start, end: keep("data", data[start:end]),
            "on_part_end": lambda: keep("part end"),
            "on_end": lambda: keep("end"),
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise bad_upload("The boundary cannot be used.") from error

    async def next(self) -> _Part | None:
        """The head of the next part; None at the end of the form."""
        if (await self._next())[0] == "end":
            return None
        headers: dict[bytes, bytes] = {}
        name = value = b""
        while (happened := await self._next())[0] != "body":
            kind, data = happened
            if kind == "header":
                name += data
            elif kind == "value":
                value += data
            else:
                headers[name.lower()] = value
                name = value = b""
        options = parse_options_header(headers.get(b"content-disposition"))[1]
        if b"name" not in options:
            raise bad_upload("Each part needs a Content-Disposition with a name.")
        filename = options.get(b"filename")
        return _Part(_text(options[b"name"]), None if filename is None else _text(filename))

    async def field(self, name: str, longest: int) -> bytes:
        """The value of the next part, which must have this name."""
        part = await self.next()
        if part is None or part.name != name:
            raise bad_upload("A multipart request has the parts `operations`, `map`, and the file, in this order.")
        value = bytearray()
        async for data in self.data():
            value += data
            if len(value) > longest:
                raise bad_upload(f"The part `{name}` is limited to {longest:,} bytes.")
        return bytes(value)

    async def data(self) -> AsyncIterator[bytes]:
        """What the part holds."""
        while (happened := await self._next())[0] != "part end":
            yield happened[1]

    async def last(self) -> AsyncIterator[bytes]:
        """What the part holds, which must be the last one: Refused when another follows, or none of it ends."""
        async for data in self.data():
            yield data
        if (await self._next())[0] != "end":
            raise bad_upload("One request carries one file: send the others in requests of their own.")

    def _keep(self, kind: str, data: bytes = b"") -> None:
        self._happened.append((kind, data))

    async def _next(self) -> tuple[str, bytes]:
        while not self._happened:
            try:
                self._parser.write(await anext(self._stream))
            except StopAsyncIteration:
                raise bad_upload("The form ends too early.") from None
            except FormParserError as error:
                raise bad_upload("The body is not a form with this boundary.") from error
        return self._happened.popleft()


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise bad_upload("Names of parts and files must be UTF-8.") from None


def _mapped(files: Any) -> tuple[str, str]:
    if isinstance(files, dict) and len(files) == 1:
        [(name, paths)] = files.items()
        if isinstance(paths, list) and len(paths) == 1 and isinstance(paths[0], str):
            return name, paths[0]
    raise bad_upload('`map` names one part and its one place: {"0": ["variables.input.file"]}.')


def _put(operation: Any, path: str, incoming: IncomingFile) -> None:
    """Put the file in the place of a null in the operation's variables."""
    *way, last = path.split(".")
    target: Any = operation
    place: Any = last
    try:
        for step in way:
            target = target[_place(target, step)]
        place = _place(target, last)
        free = way[:1] == ["variables"] and isinstance(target, dict | list) and target[place] is None
    except (KeyError, IndexError, TypeError, ValueError):
        free = False
    if not free:
        raise bad_upload("`map` must name a place in `variables` that is null in `operations`.")
    target[place] = incoming


def _place(target: object, step: str) -> int | str:
    """A key of an object as it is, an index of a list as a number. ValueError for what int() takes and nobody means."""
    if not isinstance(target, list):
        return step
    if not _INDEX.fullmatch(step):
        raise ValueError(step)
    return int(step)
