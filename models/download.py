"""Addresses from which a document, or what a communication attached, can be downloaded for a few minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from models import clock

# Seconds.
VALID = 300
# By so much may the clocks of two machines differ: an address may come from where it is later than here.
SKEW = 30
PATH = "/documents/"

_LONGEST = 512


class Link(NamedTuple):
    """What an address grants, to the session or the API key with this id: a document, or with a `position` that one of
    the attachments of the communication with the id.
    """

    id: str
    grantee_id: str
    position: int | None = None


class Expired(Exception):
    """The address was right, and is too old, or from further in the future than clocks differ."""


class Signer(TimestampSigner):
    """Signs with the time."""

    def get_timestamp(self) -> int:
        """The product's clock, in seconds."""
        return int(clock.now().timestamp())


def address(document: Mapping[str, Any], grantee_id: str, secret: str) -> str:
    """The path, relative to the server, of the document's download."""
    return _address([document["id"], grantee_id], document["name"], secret)


def attachment_address(attachment: Mapping[str, Any], grantee_id: str, secret: str) -> str:
    """The same for one of a communication's attachments: its `name`, its `communication_id` and its `position`."""
    granted = [attachment["communication_id"], grantee_id, attachment["position"]]
    return _address(granted, attachment["name"], secret)


def _address(granted: list[str | int], name: str, secret: str) -> str:
    return f"{PATH}{_serializer(secret).dumps(granted)}/{quote(name, safe='')}"


def read(token: str, secret: str) -> Link | None:
    """What the token grants; None when it is not ours. Expired after five minutes."""
    if len(token) > _LONGEST:
        return None
    try:
        granted, signed = _serializer(secret).loads(token, return_timestamp=True)
    except BadSignature:
        return None
    # itsdangerous' own max_age takes nothing from the future, not a second.
    if not -SKEW <= int(clock.now().timestamp()) - int(signed.timestamp()) <= VALID:
        raise Expired
    return Link(*granted)


@lru_cache(maxsize=4)
def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        bytes.fromhex(secret),
        salt=b"counterfoil.document",
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
