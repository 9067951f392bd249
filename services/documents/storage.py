"""Where documents' bytes are: a local folder, or a bucket of S3, Google Cloud Storage or Azure, through obstore.

`uploads/<random>` holds what is still arriving, `sha256/ab/cd/<hash>` what has arrived. Everything here is bytes and
names of objects; who may see them and which rows name them is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, from_url

UPLOADS = "uploads"
CONTENTS = "sha256"
SCHEMES = ("file", "s3", "gs", "az")

# S3 takes no smaller parts.
_PART = 5 * 1024 * 1024
_BLOCK = 1024 * 1024
# The longest copy inside a bucket is that of the largest upload.
_CLIENT = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(minutes=5)}
_RETRY: dict[str, Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
# Whoever asks whether an object is there, or removes it, may hold a lock that others wait for: a retry begins only
# within the first seconds, so that all is over after 10.
_QUICK = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=8)}
_QUICK_RETRY: dict[str, Any] = {"max_retries": 1, "retry_timeout": timedelta(seconds=2)}


@dataclass(frozen=True)
class Stored:
    """An object in the storage: its name, its size in bytes, and when it was written."""

    path: str
    size: int
    modified: datetime


class Storage:
    """The storage at `url`, opened when it is first used. `max_upload` and `quota` (of a customer) are in bytes.

    Options of buckets (credentials, region, endpoint) come from the environment variables that their tools use;
    an endpoint without TLS needs `allow_http`.
    """

    def __init__(self, url: str, *, max_upload: int, quota: int, allow_http: bool = False) -> None:
        self.max_upload = max_upload
        self.quota = quota
        self.url = url
        self._allow_http = allow_http
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError("Write file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.")
        if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
            raise ValueError("Write a folder with its whole path: file:///srv/documents.")
        self.folder = Path(url2pathname(parts.path)) if parts.scheme == "file" else None

    @cached_property
    def _store(self) -> Any:
        return self._opened(_CLIENT, _RETRY)

    @cached_property
    def _quick(self) -> Any:
        return self._opened(_QUICK, _QUICK_RETRY)

    def _opened(self, client: dict[str, timedelta], retry: dict[str, Any]) -> Any:
        # One type for all kinds of store: obstore has a class for each, with the same methods.
        if self.folder is not None:
            return LocalStore(self.folder, mkdir=True)
        return from_url(  # type: ignore[call-overload]
            self.url, client_options={**client, "allow_http": self._allow_http}, retry_config=retry
        )

    @contextlib.asynccontextmanager
    async def writing(self, path: str) -> AsyncIterator[Any]:
        """A writer with an async `write(bytes)`. The object is there after the block, or not at all if it raises."""
        writer = obstore.open_writer_async(self._store, path, buffer_size=_PART, max_concurrency=1)
        async with writer:
            yield writer

    async def copy(self, source: str, target: str) -> None:
        """Copy an object inside the storage, over what is there; it survives a loss of power from then on."""
        await self._store.copy_async(source, target, overwrite=True)
        if self.folder is not None:
            # A sweep may have taken it again: whoever needs the bytes looks for them under their lock.
            with contextlib.suppress(FileNotFoundError):
                await asyncio.to_thread(_sync, self.folder, self.folder / target)

    async def find(self, path: str) -> Stored | None:
        """The object without its bytes; None when there is none. A bucket has 10 seconds to answer."""
        try:
            meta = await self._quick.head_async(path)
        except (NotFoundError, FileNotFoundError):
            return None
        return Stored(path, int(meta["size"]), meta["last_modified"])

    async def delete(self, path: str) -> None:
        """Remove the object, if it is there.

        A bucket has 10 seconds to answer. When this raises, the request has ended: nothing is sent any more.
        """
        with contextlib.suppress(NotFoundError, FileNotFoundError):
            await self._quick.delete_async(path)

    async def read(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `stop`, in blocks.

        Each block is a read of its own: a client may take hours for a large file, and no store lets one read last so
        long.
        """
        while start < stop:
            length = min(_BLOCK, stop - start)
            block = bytes(await self._store.get_range_async(path, start=start, length=length))
            if len(block) != length:
                raise OSError("a document's bytes ended early")
            yield block
            start += length

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """All objects below `prefix`."""
        if self.folder is not None and not self.folder.exists():
            return
        async for page in self._store.list(prefix):
            for meta in page:
                yield Stored(meta["path"], int(meta["size"]), meta["last_modified"])

    async def abandoned(self, before: datetime) -> AsyncIterator[Stored]:
        """What was arriving and has not been touched since `before`: its process has ended."""
        if self.folder is not None:
            # The store does not list the files that it writes to until they are whole, and a crash leaves those.
            found = await asyncio.to_thread(lambda folder: list(_unfinished(folder)), self.folder)
        else:
            found = [stored async for stored in self.list(UPLOADS)]
        for stored in found:
            if stored.modified < before:
                yield stored

    async def discard(self, stored: Stored) -> None:
        """Remove what is `abandoned`."""
        if self.folder is not None:
            await asyncio.to_thread((self.folder / stored.path).unlink, missing_ok=True)
        else:
            await self.delete(stored.path)


def content_path(sha256: str) -> str:
    """The name of the object that holds the bytes with this checksum (hexadecimal)."""
    return f"{CONTENTS}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _sync(folder: Path, path: Path) -> None:
    """Have the disk keep the file, and the names on the way to it."""
    if sys.platform == "win32":  # it opens no folders
        return
    for part in (path, *path.parents):
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if part == folder:
            return


def _unfinished(folder: Path) -> Iterator[Stored]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if name.parts[0] == UPLOADS or "#" in name.name:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                yield Stored(name.as_posix(), stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


_bound: list[Storage] = []


def bind(storage: Storage) -> None:
    """Let this process keep documents in `storage`."""
    _bound[:] = [storage]


def current() -> Storage:
    """The bound storage. RuntimeError when none is."""
    if not _bound:
        raise RuntimeError("no document storage is bound: call services.documents.bind() first")
    return _bound[0]
