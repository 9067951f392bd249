"""A bucket that takes requests and does not answer: nobody who holds a lock waits long for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from obstore.exceptions import BaseError

from services.documents import Storage
from services.documents import storage as buckets
from services.documents.storage import Stored, content_path
from services.documents.sweeping import sweep
from tests import factories, storages
from tests.client import Client
from tests.resolvers.stubs import nothing_recorded

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\nETag: x\r\n\r\n"
# obstore removes from S3 with a POST that names the objects.
ORPHAN = content_path("ab" * 32)


class Hanging:
    """A server that answers HEAD (when `found`) and nothing else. `open` are the requests that still wait."""

    def __init__(self, *, found: bool) -> None:
        self.found = found
        self.open: list[str] = []
        self.seen: list[str] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = ""
        try:
            while True:
                method = (await reader.readuntil(b"\r\n\r\n")).split()[0].decode()
                self.seen.append(method)
                if method == "HEAD" and self.found:
                    writer.write(HEAD)
                else:
                    self.open.append(method)
        except (asyncio.IncompleteReadError, ConnectionError):
            if method in self.open:
                self.open.remove(method)
        finally:
            writer.close()


@asynccontextmanager
async def hanging(monkeypatch: pytest.MonkeyPatch, *, found: bool) -> AsyncIterator[tuple[Hanging, Storage]]:
    """The server, and a storage in it whose limits are parts of a second."""
    monkeypatch.setitem(buckets._QUICK, "timeout", timedelta(seconds=0.3))
    monkeypatch.setitem(buckets._QUICK_RETRY, "retry_timeout", timedelta(seconds=0.1))
    hung = Hanging(found=found)
    server = await asyncio.start_server(hung.talk, "127.0.0.1", 0)
    environment = storages.S3(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        yield hung, Storage("s3://bucket/place", max_upload=1024, quota=1024, allow_http=True)
    finally:
        server.close()


@contextmanager
def in_time() -> Iterator[None]:
    started = asyncio.get_running_loop().time()
    yield
    assert asyncio.get_running_loop().time() - started < 3


async def test_questions_and_removals_end_with_their_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hanging(monkeypatch, found=False) as (hung, storage):
        for ask in (storage.find, storage.delete):
            with in_time(), pytest.raises(BaseError):
                await asyncio.wait_for(ask(ORPHAN), 5)
            await asyncio.sleep(0.05)
            assert hung.open == []
        assert set(hung.seen) == {"HEAD", "POST"}


def test_no_question_takes_longer_than_a_writer_may_wait() -> None:
    assert buckets._QUICK["timeout"] + buckets._QUICK_RETRY["retry_timeout"] <= timedelta(seconds=10)


async def test_a_removal_without_an_answer_ends_before_its_lock(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def orphans(_prefix: str) -> AsyncIterator[Stored]:
        for stored in [Stored(ORPHAN, 4, datetime(2025, 1, 1, tzinfo=UTC))]:
            yield stored

    async def none(_before: datetime) -> AsyncIterator[Stored]:
        for stored in list[Stored]():
            yield stored

    async with hanging(monkeypatch, found=True) as (hung, storage):
        monkeypatch.setattr(storage, "list", orphans)
        monkeypatch.setattr(storage, "abandoned", none)
        async with nothing_recorded():
            with in_time(), pytest.raises(BaseError):
                await asyncio.wait_for(sweep(storage), 5)
        await asyncio.sleep(0.05)
        assert (hung.open, "POST" in hung.seen) == ([], True)
        # The writer is free again.
        with in_time():
            await factories.customer(client)
