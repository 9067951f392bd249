"""A mail server for tests: aiosmtpd in the test's event loop, which does what it is told and keeps what it took."""

from __future__ import annotations

import asyncio
import email
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.mail import Encryption, Mail, Smtp

# Instead of a reply: end the connection, or never answer.
DROP, STALL = "drop", "stall"
SENDER = "accounts@example.com"
USER, PASSWORD = "counterfoil", "right: 100% @"


@dataclass(frozen=True)
class Received:
    """A message that the server got, whatever it said then. Options are as they were written."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    mail_options: str
    rcpt_options: Sequence[str]

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        parsed = email.message_from_bytes(self.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def id(self) -> str:
        """The Message-ID, without brackets."""
        return str(self.message["Message-ID"])[1:-1]


@dataclass
class SmtpServer:
    """What the server is to say, and what it got.

    `mail`, `data` (to the command) and `content` are replies that are used up one after the other; afterwards all is
    well. `recipients` are replies to RCPT by address; the last one stays. DROP and STALL are replies, too.
    `meanwhile` is awaited before the reply to the content.
    """

    port: int = 0
    encryption: Encryption = Encryption.OFF
    greetings: list[str] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    recipients: dict[str, list[str]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    connections: int = 0
    meanwhile: Callable[[Received], Awaitable[None]] | None = None

    def settings(self, *, signed_in: bool = False, **given: Any) -> Mail:
        """How mail leaves through this server; `given` are fields of Smtp or of Mail."""
        smtp = {name: given.pop(name) for name in list(given) if name in Smtp.__dataclass_fields__}
        who = {"user": USER, "password": PASSWORD} if signed_in else {}
        made = {"encryption": self.encryption, "timeout": 5.0, **who, **smtp}
        server = Smtp("127.0.0.1", self.port, **made)
        return Mail(**{"sender": SENDER, "smtp": server, "poll": 0.05, **given})


class _Conversation(SMTP):
    """aiosmtpd, with delivery reports (RFC 3461), replies of one's choice, and connections that break."""

    def __init__(self, told: SmtpServer, *, dsn: bool, **options: Any) -> None:
        super().__init__(_Hooks(told, dsn=dsn), loop=asyncio.get_running_loop(), **options)
        self._told = told
        self._dsn = dsn
        self.mail_options = ""
        self.rcpt_options: list[str] = []
        told.connections += 1

    async def push(self, status: Any) -> None:
        said = status.decode() if isinstance(status, bytes) else status
        if said.startswith("220 ") and self._told.greetings:
            said = await self.said(self._told.greetings.pop(0))
        elif said.startswith("354 ") and self._told.data:
            said = await self.said(self._told.data.pop(0))
        await super().push(said.encode("utf-8", "surrogateescape"))

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        self.mail_options = arg or ""
        self.rcpt_options = []
        await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        self.rcpt_options.append(arg or "")
        await super().smtp_RCPT(self._without_dsn(arg))

    async def said(self, reply: str) -> str:
        """The reply, unless it is none."""
        if reply in (DROP, STALL):
            if reply == DROP:
                assert self.transport is not None
                self.transport.abort()  # type: ignore[attr-defined]  # of a connection
            # The end of the connection cancels this.
            await asyncio.Event().wait()
        return reply

    def _without_dsn(self, arg: str | None) -> str | None:
        if arg is None or not self._dsn:
            return arg
        known = ("RET=", "ENVID=", "NOTIFY=", "ORCPT=")
        return " ".join(part for part in arg.split(" ") if not part.startswith(known))


class _Hooks:
    """What aiosmtpd asks for its replies."""

    def __init__(self, told: SmtpServer, *, dsn: bool) -> None:
        self._told = told
        self._dsn = dsn

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: _Conversation, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *(["250-DSN"] if self._dsn else []), *responses[1:]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: _Conversation, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._told.mail:
            said = await server.said(self._told.mail.pop(0))
            if not said.startswith("250"):
                return said
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: _Conversation, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        replies = self._told.recipients.get(address, [])
        if replies:
            said = await server.said(replies.pop(0) if len(replies) > 1 else replies[0])
            if not said.startswith("250"):
                return said
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: _Conversation, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.original_content, bytes)
        got = Received(
            str(envelope.mail_from),
            list(envelope.rcpt_tos),
            envelope.original_content,
            server.mail_options,
            server.rcpt_options,
        )
        self._told.received.append(got)
        if self._told.meanwhile is not None:
            await self._told.meanwhile(got)
        if self._told.content:
            said = await server.said(self._told.content.pop(0))
            if not said.startswith("250"):
                return said
        self._told.taken.append(got)
        return "250 2.0.0 taken"


@asynccontextmanager
async def smtp_server(
    *,
    encryption: Encryption = Encryption.OFF,
    certificate: trustme.LeafCert | None = None,
    dsn: bool = False,
    sign_in: bool = False,
    **options: Any,
) -> AsyncIterator[SmtpServer]:
    """A running server. With a `certificate` it offers STARTTLS, or TLS from the beginning with IMPLICIT.

    With `sign_in` only USER with PASSWORD may send. `options` are those of aiosmtpd's SMTP.
    """
    told = SmtpServer(encryption=encryption)
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
    implicit = encryption is Encryption.IMPLICIT
    made: dict[str, Any] = {"hostname": "mail.test", "enable_SMTPUTF8": True, "tls_context": None, **options}
    if not implicit:
        made["tls_context"] = context
    if sign_in:
        made |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": False}
    loop = asyncio.get_running_loop()
    open_ones: list[_Conversation] = []

    def converse() -> _Conversation:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it advises against signing in without encryption
            open_ones.append(_Conversation(told, dsn=dsn, **made))
        return open_ones[-1]

    server = await loop.create_server(converse, "127.0.0.1", 0, ssl=context if implicit else None)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        for each in open_ones:
            if each.transport is not None:
                each.transport.close()
        await server.wait_closed()


def authority(folder: Path) -> tuple[trustme.CA, Path]:
    """Somebody who issues certificates, and the file that makes others trust them."""
    made = trustme.CA()
    path = folder / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    given = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=given, handled=False)
