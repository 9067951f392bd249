"""Addresses that are signed for whoever asks, and work for a few minutes: what they grant stands in their token."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from models import clock

# Seconds.
VALID = 300
# By so much may the clocks of two machines differ: an address may come from where it is later than here.
SKEW = 30

_LONGEST = 512


class Expired(Exception):
    """The address was right, and is too old, or from further in the future than clocks differ."""


def sign(granted: Sequence[str | int | None], salt: bytes, secret: str) -> str:
    """The token that grants this. A token of one `salt` is none of another."""
    token: str = _serializer(salt, secret).dumps(granted)
    return token


def read(token: str, salt: bytes, secret: str) -> list[Any] | None:
    """What the token grants; None when it is not ours. Expired after five minutes."""
    if len(token) > _LONGEST:
        return None
    try:
        granted, signed = _serializer(salt, secret).loads(token, return_timestamp=True)
    except BadSignature:
        return None
    # itsdangerous' own max_age takes nothing from the future, not a second.
    if not -SKEW <= int(clock.now().timestamp()) - int(signed.timestamp()) <= VALID:
        raise Expired
    return list(granted)


class _Signer(TimestampSigner):
    """Signs with the time."""

    def get_timestamp(self) -> int:
        """The product's clock, in seconds."""
        return int(clock.now().timestamp())


@lru_cache(maxsize=8)
def _serializer(salt: bytes, secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        bytes.fromhex(secret),
        salt=salt,
        signer=_Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
