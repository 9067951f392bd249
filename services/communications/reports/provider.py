"""What every provider that calls us has in common: requests that prove who sent them, and reports in their bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from services.communications.reports.report import Report


class Unsigned(Exception):
    """The request does not say who sent it."""


class Forged(Exception):
    """The request was not sent by whom it names, or not for us, or too long ago; the message says which."""


class Unreadable(Exception):
    """The request's body is not what the provider sends."""


class Unreachable(Exception):
    """What is needed to check the request cannot be fetched now: a repeat may do better."""


class Provider(Protocol):
    """A provider of mail that reports by HTTP. `source` is whom history names."""

    source: str

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[Report]:
        """The reports of a request. Unsigned, Forged, Unreadable or Unreachable."""


def read_json(body: bytes | str, kind: type) -> Any:
    """The JSON value, which must be an object (dict) or an array (list). Unreadable."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("The body is no JSON.") from None
    if not isinstance(value, kind):
        raise Unreadable("The body is not what this provider sends.")
    return value


def inner(value: object, *names: str) -> Any:
    """What stands in nested JSON objects under these names; None where there is no such thing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON array; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(*values: object) -> list[str]:
    """Those of the values that are texts and not empty."""
    return [value for value in values if isinstance(value, str) and value]
