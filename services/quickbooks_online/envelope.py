"""The envelopes around what QuickBooks Online answers: query pages, change data, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_PAGING = {"startPosition", "maxResults", "totalCount"}


class UnreadableDocument(ValueError):
    """The document as a whole cannot be read; the message says what it is and what to do."""


def customers(document: bytes | str) -> list[Any]:
    """The Customer entries of all pages, in order, as decoded JSON.

    A document is one envelope, a JSON array of them, or several in a row (JSON Lines). An envelope has `QueryResponse`
    (a query's page) or `CDCResponse` (changes). UnreadableDocument for anything else and for any fault.
    """
    entries: list[Any] = []
    for number, envelope in enumerate(_envelopes(_text(document)), start=1):
        for response, of_changes in _responses(envelope, number):
            entries.extend(_entries(response, number, of_changes))
    return entries


def _text(document: bytes | str) -> str:
    if isinstance(document, bytes):
        try:
            document = document.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableDocument(
                f"This is not UTF-8 text (byte {error.start}). Save the answer as UTF-8."
            ) from None
    text = document.removeprefix("\ufeff").strip()
    if not text:
        raise UnreadableDocument("The document is empty.")
    if text.startswith("<"):
        raise UnreadableDocument(
            "This is XML. Ask QuickBooks Online for JSON, with the header Accept: application/json."
        )
    return text


def _envelopes(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise UnreadableDocument(f"This is not JSON: {error.msg} at {where}. Is the file complete?") from None
        except (ValueError, RecursionError):
            raise UnreadableDocument("This JSON has a number too long or levels too deep to be an answer.") from None
        yield from value if isinstance(value, list) else [value]
        while position < len(text) and text[position].isspace():
            position += 1


def _responses(envelope: Any, number: int) -> Iterator[tuple[dict[str, Any], bool]]:
    if not isinstance(envelope, dict):
        raise UnreadableDocument(f"Page {number} is not an object with QueryResponse.")
    _refuse_fault(envelope)
    if "QueryResponse" in envelope:
        yield _object(envelope["QueryResponse"], "QueryResponse", number), False
    elif "CDCResponse" in envelope:
        for change in _list(envelope["CDCResponse"]):
            for response in _list(_object(change, "CDCResponse", number).get("QueryResponse")):
                yield _object(response, "QueryResponse", number), True
    else:
        raise UnreadableDocument(f"Page {number} has no QueryResponse: it is not the answer to a Customer query.")


def _entries(response: dict[str, Any], number: int, of_changes: bool) -> list[Any]:
    _refuse_fault(response)
    others = sorted(set(response) - _PAGING - {"Customer"})
    if "Customer" not in response and others and not of_changes:
        raise UnreadableDocument(f"Page {number} holds {', '.join(others)[:80]}, not customers.")
    return _list(response.get("Customer"))


def _refuse_fault(holder: dict[str, Any]) -> None:
    # A refused token is answered with the same members in small letters.
    fault = holder.get("Fault") or holder.get("fault")
    if not fault:
        return
    fault = fault if isinstance(fault, dict) else {}
    said = [_said(error) for error in _list(fault.get("Error") or fault.get("error")) if isinstance(error, dict)]
    raise UnreadableDocument(f"QuickBooks Online answered with a fault: {'; '.join(said) or 'it gives no reason'}.")


def _said(error: dict[str, Any]) -> str:
    message, detail, code = (error.get(name) or error.get(name.lower()) for name in ("Message", "Detail", "code"))
    texts = [str(text) for text in (message, detail) if text]
    return f"{': '.join(texts) or 'no message'} (code {code or 'unknown'})"


def _object(value: Any, name: str, number: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableDocument(f"{name} of page {number} is not an object.")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
