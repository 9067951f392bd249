"""Messages from Amazon SNS topics: signed, with a certificate that is fetched from Amazon and kept.

See “Verifying the signatures of Amazon SNS messages” in Amazon's documentation. Raw message delivery must be off: such
messages are not signed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from models import clock
from services.communications.reports.fetching import Unfetched, fetch
from services.communications.reports.provider import Forged, Unreachable, Unreadable, Unsigned, read_json
from services.communications.reports.report import instant

TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{3,30}):\d{12}:[A-Za-z0-9_.-]{1,256}")

_HASHES = {"1": SHA1, "2": SHA256}  # how Amazon signs: version 1 is what topics have unless they are told otherwise
# What is signed, in this order. Subject is only there when the message has one.
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
# Amazon tries for an hour at most. Whatever is older was kept by somebody.
_OLDEST = timedelta(hours=2)
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9_-]+\.pem")
# Amazon has one certificate at a time, and a new one now and then.
_MOST_CERTIFICATES = 16


@dataclass(frozen=True)
class Received:
    """A notification: what SNS calls it, and its text."""

    id: str
    text: str


class Topics:
    """The topics whose messages are taken, by their ARNs."""

    def __init__(self, arns: tuple[str, ...]) -> None:
        self._arns = frozenset(arns)
        self._certificates: dict[str, Certificate] = {}
        # Whoever knows a topic can let us fetch: not more than this at once.
        self._fetching = asyncio.Semaphore(2)

    async def receive(self, body: bytes) -> Received | None:
        """The notification in a request; None for other messages. A subscription of ours is confirmed.

        Unsigned, Forged, Unreadable or Unreachable.
        """
        message = read_json(body, dict)
        kind = message.get("Type")
        if not isinstance(kind, str) or kind not in _SIGNED:
            raise Unreadable("This is no message of Amazon SNS.")
        signed = [(name, message.get(name)) for name in _SIGNED[kind]]
        signed = [(name, value) for name, value in signed if name != "Subject" or value is not None]
        if not all(isinstance(value, str) for _, value in signed):
            raise Unreadable("This is no message of Amazon SNS.")
        if message["TopicArn"] not in self._arns:
            raise Forged("It comes from a topic that is not in the settings.")
        await self._check_signature(message, "".join(f"{name}\n{value}\n" for name, value in signed).encode())
        sent_at = instant(message["Timestamp"])
        if sent_at is None or sent_at < clock.now() - _OLDEST:
            raise Forged("It was sent too long ago.")
        if kind == "SubscriptionConfirmation":
            await self._confirm(message)
        return Received(message["MessageId"], message["Message"]) if kind == "Notification" else None

    async def _check_signature(self, message: dict[str, Any], signed: bytes) -> None:
        signature, algorithm = message.get("Signature"), _HASHES.get(str(message.get("SignatureVersion")))
        if not isinstance(signature, str) or algorithm is None:
            raise Unsigned("The message has no signature that is known here.")
        certificate = await self._certificate(str(message.get("SigningCertURL")), message["TopicArn"])
        key = certificate.public_key()
        try:
            if not isinstance(key, RSAPublicKey):
                raise InvalidSignature
            key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), algorithm())
        except (InvalidSignature, binascii.Error, ValueError):
            raise Forged("The signature is wrong.") from None

    async def _certificate(self, url: str, topic: str) -> Certificate:
        if not _is_amazons(url, topic) or not _CERTIFICATE_PATH.fullmatch(urlsplit(url).path) or urlsplit(url).query:
            raise Forged("The certificate is not one of Amazon SNS.")
        certificate = self._certificates.get(url)
        if certificate is None:
            try:
                async with self._fetching:
                    certificate = load_pem_x509_certificate(await fetch(url))
            except Unfetched as error:
                raise Unreachable(f"The certificate of Amazon SNS cannot be fetched: {error}") from error
            except ValueError:
                raise Forged("The certificate cannot be read.") from None
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = certificate
        if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
            raise Forged("The certificate is not valid now.")
        return certificate

    async def _confirm(self, message: dict[str, Any]) -> None:
        if not _is_amazons(message["SubscribeURL"], message["TopicArn"]):
            raise Forged("The address of the subscription is not one of Amazon SNS.")
        try:
            await fetch(message["SubscribeURL"])
        except Unfetched as error:
            raise Unreachable(f"The subscription cannot be confirmed: {error}") from error


def _is_amazons(url: str, topic: str) -> bool:
    """Whether the address is one of SNS in the region of the topic."""
    found = TOPIC.fullmatch(topic)
    if found is None:
        return False
    host = f"sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc == host and url.isascii() and url.isprintable() and " " not in url
