"""Files that Counterfoil makes are in the storage under their checksum, however often they are kept."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from services.communications import Attachment
from services.communications.attachment_storage import keep
from services.documents import Storage
from services.documents.storage import content_path
from tests import storages

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40
SHA256 = hashlib.sha256(PDF).hexdigest()


@pytest.mark.parametrize("storage", ["folder", "s3"], indirect=True)
async def test_kept_twice_the_bytes_are_there_once(storage: Storage) -> None:
    first = await keep(storage, "Invoice 7.pdf", "application/pdf", PDF)
    again = await asyncio.gather(*(keep(storage, "Rechnung.pdf", "application/pdf", PDF) for _ in range(3)))

    assert first == Attachment("Invoice 7.pdf", "application/pdf", len(PDF), SHA256)
    assert {(kept.name, kept.sha256) for kept in again} == {("Rechnung.pdf", SHA256)}
    assert [stored.path for stored in await storages.objects(storage)] == [content_path(SHA256)]
    assert b"".join([block async for block in storage.read(content_path(SHA256), 0, len(PDF))]) == PDF


async def test_kept_again_the_bytes_are_fresh_for_the_sweep(storage: Storage) -> None:
    await keep(storage, "Invoice 7.pdf", "application/pdf", PDF)
    [before] = await storages.objects(storage)
    await asyncio.sleep(0.02)
    await keep(storage, "Invoice 7.pdf", "application/pdf", PDF)
    [after] = await storages.objects(storage)
    assert after.modified > before.modified


async def test_an_empty_file_is_a_mistake_of_the_program(storage: Storage) -> None:
    with pytest.raises(ValueError, match="something in it"):
        await keep(storage, "Invoice 7.pdf", "application/pdf", b"")
    assert await storages.objects(storage) == []
