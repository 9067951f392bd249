"""One attempt of one message: written, then taken to the mail server or to the folder. No transaction is open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from models import DeliveryStatus, Row, clock
from services import password_links
from services.documents import Storage
from services.documents.storage import content_path
from services.mail import Mail, header
from services.mail.letter import File, Letter, write
from services.mail.maildir import keep
from services.mail.pool import Pool
from services.mail.reply import Result
from services.mail.session import NoSession, Session
from services.mail.transfer import Transfer

_log = structlog.get_logger("counterfoil.mail")

_TOO_LATE = "The mail server did not answer in time."
_FOLDER_TOO_LATE = "The message was not written to the folder in time."
_NO_ADDRESS = "This is no address that mail can be sent to."


_OTHER_ADDRESS = "This address is not that of an active contact any more. Send a new link with sendPasswordLink."
_LEADS_HERE = "Its link would lead nowhere. Set COUNTERFOIL_PORTAL_URL, and send a new link with sendPasswordLink."


class CannotLeave(Exception):
    """The message can never be sent as it is; the exception's message says why."""


class Attempts:
    """Makes attempts, as the settings say. `mail.attempt` seconds are the most that one takes."""

    def __init__(self, mail: Mail, storage: Storage) -> None:
        self._mail = mail
        self._storage = storage
        self._pool = Pool(mail.smtp, mail.domain) if mail.smtp is not None else None
        self._limits: set[asyncio.Timeout] = set()
        self._reachable = True

    async def make(self, letter: Letter) -> dict[str, Result]:
        """The result of each delivery (by id) that is still to be sent."""
        addresses, results = _addressed(letter.open)
        transfer = Transfer(letter.id, self._mail.sender, list(addresses.values()))
        try:
            if addresses and self._pool is not None:
                await self._send(letter, transfer, self._pool)
            elif addresses:
                await self._keep(letter, transfer)
        except CannotLeave as error:
            transfer.settle(Result(DeliveryStatus.FAILED, str(error)))
        except Exception as error:  # a bug, or a storage out of reach: another attempt may do better
            _log.exception("message not sent", message=letter.id)
            transfer.broken(f"Counterfoil could not send this message ({type(error).__name__}); its log says more.")
        return results | {identifier: transfer.results[address] for identifier, address in addresses.items()}

    def hurry(self, seconds: float) -> None:
        """Give those that are under way so many seconds more at most."""
        until = asyncio.get_running_loop().time() + seconds
        for limit in self._limits:
            when = limit.when()
            if when is not None and until < when:
                limit.reschedule(until)

    async def rest(self) -> None:
        """Let connections go that wait for the next message."""
        if self._pool is not None:
            await self._pool.close()

    async def _keep(self, letter: Letter, transfer: Transfer) -> None:
        limit = asyncio.timeout(self._mail.attempt)
        self._limits.add(limit)
        try:
            async with limit:
                content = await self._written(letter, utf8=True)
                # A thread cannot be stopped: what it has begun may be there later.
                transfer.sent = True
                try:
                    transfer.settle(Result(DeliveryStatus.SENT, await keep(self._mail.maildir, content)))
                except OSError as error:
                    transfer.sent = False
                    transfer.broken(f"The folder for mail: {error.strerror or type(error).__name__}")
        except TimeoutError:
            transfer.broken(_FOLDER_TOO_LATE)
        finally:
            self._limits.discard(limit)

    async def _send(self, letter: Letter, transfer: Transfer, pool: Pool) -> None:
        session: Session | None = None
        limit = asyncio.timeout(self._mail.attempt)
        try:
            async with limit:
                self._limits.add(limit)
                session, used = await pool.take()
                self._tell(reachable=True)
                content = await self._written(letter, utf8=session.utf8)
                await session.send(transfer, content)
                if used and not transfer.begun and not session.usable:
                    # It had been closed while it waited, and nothing was sent.
                    transfer.restart()
                    session, _ = await pool.take()
                    await session.send(transfer, content)
            pool.give(session)
        except NoSession as error:
            self._tell(reachable=False)
            transfer.broken(str(error))
        except TimeoutError:
            transfer.broken(_TOO_LATE)
        finally:
            self._limits.discard(limit)
            # Whatever else ended this, nobody knows how far the conversation got.
            if session is not None and not pool.has(session):
                session.close()

    def _tell(self, *, reachable: bool) -> None:
        """Log when the server cannot be reached any more, and when it can again."""
        if reachable != self._reachable:
            self._reachable = reachable
            if reachable:
                _log.info("mail server reached again")
            else:
                _log.warning("mail server not reached", host=self._mail.smtp.host if self._mail.smtp else None)

    async def _written(self, letter: Letter, *, utf8: bool) -> bytes:
        files = [await self._file(attachment) for attachment in letter.communication["attachments"]]
        first = letter.open[0]
        text, html = first["text"], first["html"]
        if letter.wants_link:
            token = await self._token(first)
            text, html = (body and password_links.filled(body, token) for body in (text, html))
        return await asyncio.to_thread(write, letter, self._mail, text, html, files, utf8=utf8)

    async def _token(self, delivery: Row) -> str:
        """That of a new link. It is made for the address that it goes to, and never leads customers to this machine."""
        portal_here = (self._mail.portal_url or "").startswith("http://127.0.0.1")
        if self._mail.smtp is not None and not portal_here and password_links.leads_here(delivery["text"]):
            raise CannotLeave(_LEADS_HERE)
        token = await password_links.issue(delivery["contact_id"], delivery["email"], clock.now())
        if token is None:
            raise CannotLeave(_OTHER_ADDRESS)
        return token

    async def _file(self, attachment: Mapping[str, object]) -> File:
        size, path = int(str(attachment["size"])), content_path(str(attachment["sha256"]))
        content = bytearray()
        stored = await self._storage.find(path)
        if stored is None or stored.size != size:
            raise CannotLeave(f"The bytes of the attachment {attachment['name']} are missing.")
        async for block in self._storage.read(path, 0, size):
            content += block
        return File(str(attachment["name"]), str(attachment["media_type"]), bytes(content))


def _addressed(deliveries: list[Row]) -> tuple[dict[str, str], dict[str, Result]]:
    """Delivery → address as it is sent, and the results of those that have none."""
    addresses: dict[str, str] = {}
    results: dict[str, Result] = {}
    for row in deliveries:
        try:
            addresses[row["id"]] = header.wire(row["email"])
        except header.NoAddress:
            results[row["id"]] = Result(DeliveryStatus.FAILED, _NO_ADDRESS, address_failed=True)
    return addresses, results
