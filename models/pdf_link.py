"""Addresses from which the PDF of a sales document or a statement can be downloaded, signed as those of documents."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeTimedSerializer

from models import clock
from models.download import SKEW, VALID, Expired, Signer

PATH = "/pdf/"

_LONGEST = 512


class PdfLink(NamedTuple):
    """What an address grants, to the session or the API key with the id `grantee_id`: the PDF of a sales document, or
    with a `month` (YYYY-MM) that of a customer's statement.
    """

    subject_id: str
    grantee_id: str
    month: str | None = None


def address(link: PdfLink, secret: str) -> str:
    """The path, relative to the server, of the PDF's download."""
    return f"{PATH}{_serializer(secret).dumps(link)}"


def read(token: str, secret: str) -> PdfLink | None:
    """What the token grants; None when it is not ours. Expired after five minutes."""
    if len(token) > _LONGEST:
        return None
    try:
        granted, signed = _serializer(secret).loads(token, return_timestamp=True)
    except BadSignature:
        return None
    if not -SKEW <= int(clock.now().timestamp()) - int(signed.timestamp()) <= VALID:
        raise Expired
    return PdfLink(*granted)


@lru_cache(maxsize=4)
def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        bytes.fromhex(secret),
        salt=b"counterfoil.pdf",
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
