"""Where tests keep documents: a folder of their own, or a bucket on an S3 server that they start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from services.documents import Storage
from services.documents.storage import Stored

MAX_UPLOAD = 1024 * 1024
QUOTA = 2 * 1024 * 1024


class S3:
    """A server that speaks the S3 protocol."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = count(1)
        # What the tools of S3 read, too.
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_REGION": "us-east-1",
        }

    def new_bucket(self) -> str:
        """The URL of a place in a new bucket."""
        name = f"bucket-{next(self._numbers)}"
        assert httpx.put(f"{self._url}/{name}").status_code == 200
        return f"s3://{name}/some/place"

    def unfinished(self, url: str) -> int:
        """How many uploads of parts in the bucket have neither ended nor been given up."""
        return httpx.get(f"{self._url}/{url.split('/')[2]}?uploads").text.count("<Upload>")


@contextmanager
def s3_server() -> Iterator[S3]:
    """Moto's server, in a thread of this process."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  (it takes a second, and few tests need it)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()


async def objects(storage: Storage) -> list[Stored]:
    """All that is in the storage."""
    return [stored async for stored in storage.list("")]
