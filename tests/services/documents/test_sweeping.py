"""The sweep: bytes that nothing names go, in their time; all others stay, whatever else happens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from models import clock, contents
from services.documents import Storage
from services.documents.checking import problems
from services.documents.storage import content_path
from services.documents.sweeping import Swept, sweep
from tests import factories, storages
from tests.client import Client, File
from tests.resolvers.documents import DELETE_DOCUMENT, UPLOAD_DOCUMENT
from tests.resolvers.stubs import nothing_recorded

pytestmark = pytest.mark.anyio

EVERYWHERE = pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)


@contextmanager
def hours_later(hours: float) -> Iterator[None]:
    at = datetime.now(UTC) + timedelta(hours=hours)
    with clock.set_to(lambda: at):
        yield


async def put(storage: Storage, path: str, content: bytes) -> None:
    async with storage.writing(path) as writer:
        await writer.write(content)


async def paths(storage: Storage) -> list[str]:
    return sorted(stored.path for stored in await storages.objects(storage))


@EVERYWHERE
async def test_what_no_document_names_goes_after_an_hour(client: Client, storage: Storage) -> None:
    kept = await factories.document(client)
    orphan = content_path("ab" * 32)
    await put(storage, orphan, b"orphan")
    both = sorted([content_path(kept["sha256"]), orphan])
    async with nothing_recorded():
        assert await sweep(storage) == Swept()
        assert await paths(storage) == both
        with hours_later(1.1):
            assert await sweep(storage) == Swept(contents=1, bytes=6)
        assert await paths(storage) == [content_path(kept["sha256"])]
        with hours_later(1000):
            assert await sweep(storage) == Swept()
    assert await paths(storage) == [content_path(kept["sha256"])]


@EVERYWHERE
async def test_what_broke_off_goes_after_a_day(client: Client, storage: Storage) -> None:
    await put(storage, "uploads/ab", b"half")
    with hours_later(23):
        assert await sweep(storage) == Swept()
    with hours_later(25):
        assert await sweep(storage) == Swept(uploads=1, bytes=4)
    assert await paths(storage) == []


async def test_what_a_crash_leaves_in_a_folder_goes_too(client: Client, storage: Storage) -> None:
    assert storage.folder is not None
    document = await factories.document(client)
    beside = storage.folder / content_path(document["sha256"])
    # obstore writes to names with a number, and does not list them.
    for path in (storage.folder / "uploads" / "ab#1", beside.with_name(f"{beside.name}#2")):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    assert len(await paths(storage)) == 1
    with hours_later(25):
        assert await sweep(storage) == Swept(uploads=2, bytes=8)
    assert [path for path in storage.folder.rglob("*") if path.is_file()] == [beside]


@EVERYWHERE
async def test_the_bytes_of_a_deleted_document_go_when_no_other_has_them(client: Client, storage: Storage) -> None:
    first, second = [await factories.document(client, content=b"The same", name="Letter.txt") for _ in range(2)]
    with hours_later(2):
        for document, swept in ((first, Swept()), (second, Swept(contents=1, bytes=8))):
            # The session of the client would be over by then.
            with clock.set_to(lambda: datetime.now(UTC)):
                await client.change(DELETE_DOCUMENT, input={"id": document["id"]})
            assert await sweep(storage) == swept
    assert await paths(storage) == []


@EVERYWHERE
async def test_an_upload_of_old_bytes_makes_them_young(client: Client, storage: Storage) -> None:
    path = content_path("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    await put(storage, path, b"test")
    if storage.folder is not None:
        os.utime(storage.folder / path, (0, 0))
    before = await storage.find(path)
    await asyncio.sleep(1.1 if storage.folder is None else 0)
    document = await factories.document(client, content=b"test", name="Letter.txt")
    assert content_path(document["sha256"]) == path
    after = await storage.find(path)
    assert before is not None
    assert after is not None
    assert before.modified < after.modified


async def test_an_empty_storage_is_not_made_by_a_sweep(client: Client, storage: Storage) -> None:
    assert storage.folder is not None
    assert await sweep(storage) == Swept()
    assert not storage.folder.exists()


async def test_a_row_that_appears_while_the_sweep_looks_keeps_its_bytes(
    client: Client, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep has seen that nobody names the bytes, and an upload of the same bytes is recorded before its lock."""
    customer = await factories.customer(client)
    assert storage.folder is not None
    await put(storage, content_path("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"), b"test")
    started: list[bool] = []
    load = contents.are_named

    async def loaded(checksums: Sequence[str]) -> list[bool]:
        found = await load(checksums)
        if not started:
            started.append(True)
            with clock.set_to(lambda: datetime.now(UTC)):
                sent = {"customerId": customer["id"], "file": File("Letter.txt", b"test")}
                await client.change(UPLOAD_DOCUMENT, input=sent)
        return found

    monkeypatch.setattr(contents, "are_named", loaded)
    with hours_later(2):
        assert await sweep(storage) == Swept()
    assert started
    assert [problem async for problem in problems(storage, hashed=True)] == [None]


async def test_uploads_and_sweeps_at_once_never_part_a_row_from_its_bytes(
    client: Client, storage: Storage, request: pytest.FixtureRequest
) -> None:
    """With bytes that are old as soon as they are written, every sweep would take them if no lock kept it away."""
    rounds = 20 if request.config.getoption("--long") else 3
    customer = await factories.customer(client)
    done = asyncio.Event()

    async def swept() -> None:
        while not done.is_set():
            with hours_later(2):
                await sweep(storage)

    async def upload(number: int) -> None:
        for turn in range(rounds):
            sent = {"customerId": customer["id"], "file": File(f"{number}.txt", f"Turn {turn}".encode())}
            somebody = Client(client.token, client.user)
            data = await somebody.run(UPLOAD_DOCUMENT, input=sent)
            if somebody.errors:
                # The sweep came between three times: nothing was recorded.
                assert somebody.codes == ["BUSY"]
            elif turn % 2:
                await somebody.change(DELETE_DOCUMENT, input={"id": data["uploadDocument"]["document"]["id"]})

    sweeping = asyncio.create_task(swept())
    await asyncio.gather(*(upload(number) for number in range(4)))
    done.set()
    await sweeping
    assert {problem async for problem in problems(storage, hashed=True)} <= {None}


@EVERYWHERE
async def test_missing_and_changed_bytes_are_told(client: Client, storage: Storage) -> None:
    there = [await factories.document(client, content=f"Letter {n}".encode(), name="a.txt") for n in range(4)]
    hashes = sorted(document["sha256"] for document in there)
    await storage.delete(content_path(hashes[0]))
    await put(storage, content_path(hashes[1]), b"longer than before")
    await put(storage, content_path(hashes[2]), b"Letter!!")
    found = [problem async for problem in problems(storage)]
    assert found == [f"{hashes[0]}: the bytes are missing", f"{hashes[1]}: 18 bytes in place of 8", None, None]
    found = [problem async for problem in problems(storage, hashed=True)]
    assert found[2:] == [f"{hashes[2]}: other bytes than were uploaded", None]
