"""Addresses from which a document can be downloaded for a few minutes, by whoever asked for it."""

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
    """What an address grants: this document, to the session or the API key with this id."""

    document_id: str
    grantee_id: str


class Expired(Exception):
    """The address was right, and is too old, or from further in the future than clocks differ."""


class Signer(TimestampSigner):
    """Signs with the time."""

    def get_timestamp(self) -> int:
        """The product's clock, in seconds."""
        return int(clock.now().timestamp())


def address(document: Mapping[str, Any], grantee_id: str, secret: str) -> str:
    """The path, relative to the server, of the document's download."""
    token = _serializer(secret).dumps([document["id"], grantee_id])
    return f"{PATH}{token}/{quote(document['name'], safe='')}"


def read(token: str, secret: str) -> Link | None:
    """What the token grants; None when it is not ours. Expired after five minutes."""
    if len(token) > _LONGEST:
        return None
    try:
        (document_id, grantee_id), signed = _serializer(secret).loads(token, return_timestamp=True)
    except BadSignature:
        return None
    # itsdangerous' own max_age takes nothing from the future, not a second.
    if not -SKEW <= int(clock.now().timestamp()) - int(signed.timestamp()) <= VALID:
        raise Expired
    return Link(document_id, grantee_id)


@lru_cache(maxsize=4)
def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        bytes.fromhex(secret),
        salt=b"counterfoil.document",
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
