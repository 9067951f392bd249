"""Documents that requests name instead of sending: trusted ones from a folder, and those that clients have registered.

`documentId` as the working group's appendix on persisted documents has it, and `extensions.persistedQuery`, Apollo's
automatic persisted queries.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from graphql import GraphQLError, GraphQLSchema

from counterfoil.door.documents import LONGEST_CACHED, Documents
from counterfoil.door.parameters import Parameters, told_by
from counterfoil.door.refusing import Refused, not_a_request
from schema.context import Context

REGISTERED = 1000
# Who has registered more than this pushes out no others'.
SHARE = 100
_PREFIX = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}")


class Trusted(NamedTuple):
    """A document of the folder, and the name of the file that has it."""

    text: str
    file: str


class _Registered(NamedTuple):
    """A document that a client has registered, and the actor's id."""

    text: str
    owner: str | None


class BadDocument(ValueError):
    """A trusted document cannot be used; the message names its file and says why."""


def digest_of(text: str) -> str:
    """SHA-256 of a document's text in UTF-8, in lower-case hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def load(folder: Path) -> dict[str, Trusted]:
    """The documents of a folder by id: *.graphql files by their hash, *.json files as objects of id and text.

    A text counts with and without the white space around it. BadDocument.
    """
    found: dict[str, Trusted] = {}
    if not folder.is_dir():
        raise BadDocument(f"{folder} is not a folder.")
    for path in sorted(folder.rglob("*.graphql")):
        text = _read(path).decode()
        for form in (text, text.strip()):
            found[digest_of(form)] = Trusted(form, path.name)
    for path in sorted(folder.rglob("*.json")):
        for name, document in _manifest(path):
            earlier = found.setdefault(name, document)
            if earlier.text != document.text:
                raise BadDocument(f"{path.name}: {name} names another document, too, in {earlier.file}.")
    return found


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError:
        raise BadDocument(f"{path.name}: this is not UTF-8.") from None
    return data


def _manifest(path: Path) -> Iterator[tuple[str, Trusted]]:
    data = _read(path)
    try:
        entries = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadDocument(f"{path.name}: this is not JSON.") from None
    # A dict has the last of the texts that one id names.
    pairs: list[tuple[str, Any]] = json.loads(data, object_pairs_hook=list)
    if not isinstance(entries, dict) or not all(isinstance(text, str) for _, text in pairs):
        raise BadDocument(f"{path.name}: this must be an object of ids and documents.")
    for identifier, text in pairs:
        name = identifier.removeprefix(_PREFIX)
        if (name != identifier or _HASH.fullmatch(name)) and name != digest_of(text):
            raise BadDocument(f"{path.name}: {identifier} is not the hash of its document.")
        yield name, Trusted(text, path.name)


def trust(documents: Documents, schema: GraphQLSchema, found: Iterable[Trusted]) -> None:
    """Make the documents known from the start. BadDocument for one that is not valid here."""
    for text, file in found:
        try:
            known = documents.read(schema, text)
            errors = known.errors
        except GraphQLError as error:
            errors = (error,)
        else:
            documents.trusted[text] = known
        if errors:
            raise BadDocument(f"{file}: {errors[0].message} The document begins: {text.strip()[:60]}")


class Persisted:
    """Finds the text of a request's document. With `only_trusted`, no others are taken."""

    def __init__(self, trusted: Mapping[str, str], *, only_trusted: bool) -> None:
        self._trusted = trusted
        self._texts = frozenset(trusted.values())
        self._only_trusted = only_trusted
        self._registered: OrderedDict[str, _Registered] = OrderedDict()

    def text_of(self, parameters: Parameters, context: Context) -> str:
        """The document's text; `context` learns what a repeat of the request has in common with it.

        Those who are signed in register the document when they send it with its hash, and may run it. Refused.
        """
        text = self._text(parameters, context)
        if context.idempotency_key is not None:
            # What a form says is read with its file.
            context.told_by = parameters.digest if context.upload else told_by(text, parameters)
        return text

    def _text(self, parameters: Parameters, context: Context) -> str:
        query, name = parameters.query or "", _named(parameters)
        if not query and name is not None:
            return self._found(name, automatic=parameters.document_id is None)
        if self._only_trusted and query not in self._texts:
            raise Refused(403, "Only documents that are known here are taken.", "DOCUMENT_NOT_TRUSTED")
        if name is not None and "persistedQuery" in parameters.extensions:
            if name != digest_of(query):
                raise Refused(400, "provided sha does not match query", "PERSISTED_QUERY_HASH_MISMATCH")
            actor = context.actor
            if actor is not None and name not in self._trusted and len(query) <= LONGEST_CACHED:
                context.admitted = partial(self._register, name, _Registered(query, actor.id))
        return query

    def _found(self, name: str, *, automatic: bool) -> str:
        text = self._trusted.get(name)
        if text is None and not self._only_trusted and name in self._registered:
            self._registered.move_to_end(name)
            text = self._registered[name].text
        if text is not None:
            return text
        if automatic:
            # Apollo's clients know this message, and send the document then.
            raise Refused(422, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        raise Refused(422, "No document with this documentId is known here.", "DOCUMENT_NOT_FOUND")

    def _register(self, name: str, document: _Registered) -> None:
        # Who registered it first has it: whoever sends it again does not lose others for it.
        self._registered.setdefault(name, document)
        self._registered.move_to_end(name)
        if len(self._registered) <= REGISTERED:
            return
        # What was not asked for the longest goes: with a share of one's own, one's own.
        own = [name for name, each in self._registered.items() if each.owner == document.owner]
        del self._registered[own[0] if len(own) > SHARE else next(iter(self._registered))]


def _named(parameters: Parameters) -> str | None:
    """The name of a document in a request: `documentId` goes first. Refused with 422 for what is none."""
    if parameters.document_id is not None:
        # An empty one counts as none: in graphql-transport-ws each message has a `query`, and clients insist on it.
        if parameters.query:
            raise not_a_request("Send `query` or `documentId`, not both.")
        digest = parameters.document_id.removeprefix(_PREFIX)
        # The prefix belongs to hashes: a name of somebody's own has none.
        return digest if _HASH.fullmatch(digest) else parameters.document_id
    sent: Any = parameters.extensions.get("persistedQuery")
    if sent is None:
        return None
    name = sent.get("sha256Hash") if isinstance(sent, dict) and sent.get("version") == 1 else None
    if not isinstance(name, str) or not _HASH.fullmatch(name):
        raise not_a_request("`persistedQuery` needs `version` 1 and `sha256Hash`, 64 hexadecimal digits.")
    return name
