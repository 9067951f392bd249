"""Amazon SNS as tests need it: a server on this machine that answers in its name, and messages with its signature."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from models import clock

HOST = "sns.eu-central-1.amazonaws.com"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
CERTIFICATE = f"https://{HOST}/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"

_SIGNED = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")


@cache
def key(number: int) -> RSAPrivateKey:
    """Amazon's key, 0, or with another number somebody else's."""
    return generate_private_key(65537, 2048)


def certificate(*, days: int = 30) -> bytes:
    """A certificate of Amazon's key that is valid for so many days from yesterday on."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key(0).public_key(), x509.random_serial_number())
    valid = builder.not_valid_before(start).not_valid_after(start + timedelta(days=days))
    return valid.sign(key(0), SHA256()).public_bytes(Encoding.PEM)


def message(
    text: str, kind: str = "Notification", *, version: str = "2", signer: int = 0, **fields: Any
) -> dict[str, Any]:
    """A message as SNS posts it."""
    made = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": text,
        "Timestamp": clock.now().isoformat(),
    }
    if kind != "Notification":
        made |= {"Token": "abc", "SubscribeURL": SUBSCRIBE}
    made |= fields
    signed = "".join(f"{name}\n{made[name]}\n" for name in _SIGNED if made.get(name) is not None)
    signature = key(signer).sign(signed.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    made |= {"SignatureVersion": version, "Signature": base64.b64encode(signature).decode()}
    return {"SigningCertURL": CERTIFICATE, **made, **fields}


class Amazon:
    """What the server was asked for, by path, and what it answers with instead of its certificate."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.answer = certificate()


@contextmanager
def amazon(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """Whoever connects to Amazon SNS in this process reaches the server in this process, by TLS."""
    found = Amazon()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(found.status)
            self.send_header("Location", "https://elsewhere.example.com/")
            self.send_header("Content-Length", str(len(found.answer)))
            self.end_headers()
            self.wfile.write(found.answer)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        patch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    resolve = socket.getaddrinfo

    def redirected(host: Any, port: Any, *args: Any, **further: Any) -> Any:
        return (
            resolve("127.0.0.1", server.server_port, *args, **further) if host == HOST else resolve(host, port, *args)
        )

    patch.setattr(socket, "getaddrinfo", redirected)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
