"""A conversation with the mail server, step by step, so that it is known how far each got."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

import aiosmtplib

from models import DeliveryStatus
from services.mail import Encryption, Smtp, dsn
from services.mail.reply import Reply, Result, refused
from services.mail.transfer import Transfer

# How many bytes of a message are prepared at once.
_BLOCK = 256 * 1024
_DATA = 354
_NO_UTF8 = "The mail server takes no addresses like this one (it does not offer SMTPUTF8)."

# What ends a conversation. ssl.SSLError is an OSError, and so is ConnectionError.
_BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError)


class NoSession(Exception):
    """The mail server cannot be reached, or does not let us in; the message says why, and holds no password."""


class Session:
    """A connection that is greeted, encrypted and signed in as the settings say."""

    def __init__(self, server: Smtp, client: aiosmtplib.SMTP) -> None:
        self._server = server
        self._client = client

    @classmethod
    async def open(cls, server: Smtp, name: str) -> Session:
        """Connect, and call ourselves `name`. NoSession."""
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=name,
            timeout=server.timeout,
            use_tls=server.encryption is Encryption.IMPLICIT,
            start_tls=False,
            tls_context=server.tls if server.encryption is not Encryption.OFF else None,
        )
        try:
            await client.connect()
            await client.ehlo()
            encrypted = await _encrypt(client, server)
            if server.user is not None:
                await _sign_in(client, server, encrypted=encrypted)
        except _BROKEN as error:
            client.close()
            raise NoSession(told(error)) from error
        except BaseException:
            client.close()
            raise
        return cls(server, client)

    @property
    def usable(self) -> bool:
        """Whether another message can follow."""
        return bool(self._client.is_connected)

    @property
    def utf8(self) -> bool:
        """Whether the server takes addresses that are not ASCII."""
        return self._client.supports_extension("smtputf8")

    async def send(self, transfer: Transfer, content: bytes) -> None:
        """Take one message to the server. What comes of it, or of the part of it that was done, is in the transfer."""
        if self._refuses(transfer, content):
            return
        try:
            await self._converse(transfer, content)
        except aiosmtplib.SMTPResponseException as error:
            # No reply in the sense of the protocol.
            self.close()
            transfer.broken(str(Reply.of(max(error.code, 0), error.message)))
        except _BROKEN as error:
            self.close()
            transfer.broken(told(error))

    async def quit(self) -> None:
        """Say goodbye, and close the connection."""
        with suppress(*_BROKEN):
            await self._client.quit()
        self.close()

    def close(self) -> None:
        """Close the connection as it is."""
        self._client.close()

    def _refuses(self, transfer: Transfer, content: bytes) -> bool:
        """Settle what the server has said that it does not take. Whether nobody is left."""
        if not self.utf8:
            for address in [address for address in transfer.left if not address.isascii()]:
                transfer.results[address] = Result(DeliveryStatus.FAILED, _NO_UTF8)
        most = self._client.esmtp_extensions.get("size", "")
        if most.isdigit() and 0 < int(most) < len(content):
            reply = f"The message has {len(content):,} bytes, and the mail server takes {int(most):,} at most."
            transfer.settle(Result(DeliveryStatus.FAILED, reply))
        return not transfer.left

    async def _converse(self, transfer: Transfer, content: bytes) -> None:
        client = self._client
        encoding = "utf-8" if transfer.utf8 else "ascii"
        try:
            options = list(self._mail_options(transfer, content))
            await client.mail(transfer.sender, options=options, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            reply = Reply.of(error.code, error.message)
            transfer.begun = not reply.closes
            transfer.settle(refused(reply))
            return await self._reset()
        transfer.begun = True
        for address in transfer.left:
            try:
                await client.rcpt(address, options=list(self._rcpt_options(address)), encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                reply = Reply.of(error.code, error.message)
                transfer.results[address] = refused(reply, at_recipient=True)
                if reply.closes:
                    return transfer.broken(str(reply))
        if not transfer.left:
            return await self._reset()
        start = Reply.of(*await client.execute_command(b"DATA"))
        if start.code != _DATA:
            transfer.settle(refused(start))
            return await self._reset()
        reply = await self._content(transfer, content)
        transfer.settle(Result(DeliveryStatus.SENT, str(reply)) if reply.code // 100 == 2 else refused(reply))
        if reply.closes:
            self.close()
        return None

    async def _content(self, transfer: Transfer, content: bytes) -> Reply:
        """Send the content. The server takes its time for its reply: only the attempt as a whole limits it."""
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        end = b"" if content.endswith(b"\r\n") else b"\r\n"
        transfer.sent = True
        # It is read from the beginning: a server may refuse before it has all, and what nobody waits for is dropped.
        reading = asyncio.create_task(protocol.read_response(timeout=None))
        try:
            await asyncio.sleep(0)
            for block in _stuffed(content):
                protocol.write(block)
                # A large message keeps nobody else waiting while it is copied and encrypted.
                await asyncio.sleep(0)
            protocol.write(end + b".\r\n")
        except aiosmtplib.SMTPServerDisconnected:
            pass  # what was read says why, or that nobody knows
        except BaseException:
            reading.cancel()
            raise
        return Reply.of(*await reading)

    async def _reset(self) -> None:
        if self.usable:
            try:
                await self._client.rset()
            except _BROKEN:
                self.close()

    def _mail_options(self, transfer: Transfer, content: bytes) -> Iterator[str]:
        client = self._client
        if client.supports_extension("size"):
            yield f"SIZE={len(content)}"
        if self.utf8 and (transfer.utf8 or not content.isascii()):
            yield "BODY=8BITMIME"
            yield "SMTPUTF8"
        if self._reports:
            yield from dsn.of_message(transfer.message_id)

    def _rcpt_options(self, address: str) -> Iterator[str]:
        if self._reports:
            yield from dsn.of_recipient(address)

    @property
    def _reports(self) -> bool:
        return self._server.dsn and self._client.supports_extension("dsn")


def _stuffed(content: bytes) -> Iterator[bytes]:
    """The content in blocks, with a further dot on each line that begins with one (RFC 5321, 4.5.2)."""
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK].replace(b"\n.", b"\n..")
        begins = start == 0 or content[start - 1 : start] == b"\n"
        yield b"." + block if begins and block.startswith(b".") else block


async def _encrypt(client: aiosmtplib.SMTP, server: Smtp) -> bool:
    """Use STARTTLS as the settings say. Whether the connection is encrypted."""
    if server.encryption is Encryption.IMPLICIT:
        return True
    offered = client.supports_extension("starttls")
    if server.encryption is Encryption.REQUIRED and not offered:
        raise aiosmtplib.SMTPException("The mail server offers no encryption (STARTTLS), and the settings require it.")
    if server.encryption is Encryption.OFF or not offered:
        return False
    await client.starttls()
    await client.ehlo()
    return True


async def _sign_in(client: aiosmtplib.SMTP, server: Smtp, *, encrypted: bool) -> None:
    if not encrypted and not is_here(server.host):
        raise aiosmtplib.SMTPException("The connection is not encrypted, so the password was not sent.")
    methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
    for name, sign_in in methods.items():
        if name in client.server_auth_methods:
            await sign_in(server.user or "", server.password or "")
            return
    raise aiosmtplib.SMTPException("The mail server offers no way of signing in that we know (PLAIN, LOGIN, CRAM-MD5).")


def is_here(host: str) -> bool:
    """Whether the host is this machine, so that nobody can listen on the way."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def told(error: BaseException) -> str:
    """What broke a conversation, for people, on one line."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"The mail server refused to sign us in: {Reply.of(error.code, error.message)}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return str(Reply.of(max(error.code, 0), error.message))
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return "The connection to the mail server was lost."
    text = Reply.of(0, str(error)).text
    return text or f"The conversation with the mail server broke off ({type(error).__name__})."
