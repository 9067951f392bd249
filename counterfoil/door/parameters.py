"""The parameters of a GraphQL-over-HTTP request, from a URL, a JSON body or a form (GraphQL over HTTP, Request)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from counterfoil.door.decoding import coding_of, decode, read_body
from counterfoil.door.media import JSON, content_type, is_utf_8
from counterfoil.door.refusing import Refused, not_a_request
from counterfoil.door.uploads import Arriving, read_upload

_MOST_PARAMETERS = 50
_NAMES = ("query", "documentId", "operationName", "variables", "extensions")


class Parameters(NamedTuple):
    """What is asked for. `document_id` names a document that is known; `digest` is of the bytes that said so; `file` is
    what a form brings.
    """

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: Mapping[str, Any]
    digest: str = ""
    file: Arriving | None = None


async def of_post(request: Request, most: int) -> Parameters:
    """What a JSON body of at most `most` bytes asks for (GraphQL over HTTP, POST). Refused."""
    kind, charset = content_type(request.headers.get("content-type"))
    if kind != JSON or not is_utf_8(charset):
        raise Refused(
            415,
            f"Send the request as {JSON} in UTF-8, or with a file as multipart/form-data.",
            "UNSUPPORTED_MEDIA_TYPE",
            Accept=f"{JSON}, multipart/form-data",
        )
    body = await read_body(request, most)
    return checked(decode(body), hashlib.sha256(body).hexdigest())


async def of_form(request: Request, most: int) -> Parameters:
    """What a form asks for whose file is still to be read."""
    coding_of(request)
    operation, digest, file = await read_upload(request, decode, most)
    return checked(operation, digest)._replace(file=file)


def of_url(request: Request) -> Parameters:
    """What the query component of the URL asks for (GraphQL over HTTP, GET): an empty parameter counts as none."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise Refused(400, "The URL's parameters cannot be read as UTF-8.") from None
    sent: dict[str, Any] = {}
    for name, value in pairs:
        if name in _NAMES:
            if name in sent:
                raise not_a_request(f"The URL has the parameter `{name}` more than once.")
            if "\0" in value:
                raise Refused(400, "Text must not hold null characters.")
            sent[name] = value or None
    for name in ("variables", "extensions"):
        if sent.get(name) is not None:
            sent[name] = decode(sent[name])
    return checked(sent, "")


def told_by(text: str, asked: Parameters) -> str:
    """A digest that requests have in common which ask for the same, however they say it.

    Of the document's text, the operation's name and the variables, in any order of keys: a repeat may name a document
    that it sent before, and be written by another library.
    """
    meant = [text, asked.operation_name, asked.variables or {}]
    try:
        written = orjson.dumps(meant, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Variables may nest deeper than orjson writes.
        return asked.digest
    return hashlib.sha256(written).hexdigest()


def checked(sent: object, digest: str) -> Parameters:
    """The parameters in an object, each of its type; further members are ignored (JSON Encoding). Refused with 422."""
    if not isinstance(sent, dict):
        raise not_a_request("A request is one JSON object with `query` and `variables`.")
    for name in ("query", "documentId", "operationName"):
        if not isinstance(sent.get(name), str | None):
            raise not_a_request(f"`{name}` must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(sent.get(name), dict | None):
            raise not_a_request(f"`{name}` must be an object.")
    extensions: Mapping[str, Any] = sent.get("extensions") or {}
    if sent.get("query") is None and sent.get("documentId") is None and extensions.get("persistedQuery") is None:
        raise not_a_request("A request needs a `query`, or the `documentId` of a document that is known here.")
    return Parameters(
        sent.get("query"),
        sent.get("documentId"),
        sent.get("operationName"),
        sent.get("variables"),
        extensions,
        digest,
    )
