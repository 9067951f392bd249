"""GET /documents/{token}/{name}: the bytes of a document or of an attachment, for whoever asked for the address and may
still read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request as HTTPRequest
from starlette.responses import Response, StreamingResponse

import models
from audit import Actor
from counterfoil.door.address import Network
from counterfoil.granting import Turned, demand, granted, refusal
from models import Permission, Row, download
from models.rows import by_ids
from services import documents
from services.documents.storage import content_path

ROUTE = download.PATH + "{token}/{name}"

_RANGE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~()]")


class Range(NamedTuple):
    """Some of the bytes: from `start` up to and without `stop`."""

    start: int
    stop: int


class Downloads:
    """The endpoint."""

    def __init__(self, trusted_proxies: Collection[Network]) -> None:
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: HTTPRequest) -> Response:
        """Answer one request: 404 for an address that is not ours, 410 for one that is too old."""
        try:
            link, viewer = await granted(request, download.read)
            if link.position is None:
                await self._demand(request, viewer, Permission.DOCUMENTS_READ)
                [row] = await by_ids(models.Document)([link.id])
                return refusal(410, "This document has been deleted.") if row is None else await answer(request, row)
            return await self._answer_attachment(request, viewer, link.id, link.position)
        except Turned as turned:
            return turned.response()

    async def _answer_attachment(
        self, request: HTTPRequest, viewer: Actor, communication_id: str, position: int
    ) -> Response:
        await self._demand(request, viewer, Permission.COMMUNICATIONS_READ)
        [row] = await by_ids(models.Communication)([communication_id])
        if row is None:
            return refusal(410, "This email is not in the log any more.")
        if row["about_sales"]:
            await self._demand(request, viewer, Permission.SALES_DOCUMENTS_READ)
        attachment = json.loads(row["attachments"])[position]
        if attachment["document_id"] is not None:
            await self._demand(request, viewer, Permission.DOCUMENTS_READ)
        return await answer(request, attachment)

    async def _demand(self, request: HTTPRequest, viewer: Actor, needed: Permission) -> None:
        await demand(request, viewer, needed, self._trusted_proxies)


async def answer(request: HTTPRequest, row: Row) -> Response:
    """The bytes or some of them (RFC 9110, 13 and 14): 200, 206, 304, 412 or 416."""
    size: int = row["size"]
    etag = f'"{row["sha256"]}"'
    headers = {
        "Content-Disposition": disposition(row["name"]),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
        # A front end of this site may show what it may ask for.
        "Cross-Origin-Resource-Policy": "same-site",
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Referrer-Policy": "no-referrer",
    }
    sent = request.headers
    if "if-match" in sent and not _names(sent["if-match"], etag):
        return Response(status_code=412, headers=headers)
    if "if-none-match" in sent and _names(sent["if-none-match"].replace("W/", ""), etag):
        return Response(status_code=304, headers=headers)
    wanted = None
    # Only GET has ranges. If-Range with anything but this very tag asks for all of it.
    if request.method == "GET" and sent.get("if-range", etag) == etag:
        wanted = read_range(sent.get("range"), size)
        if wanted is not None and wanted.start >= wanted.stop:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if wanted is not None:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    part = wanted or Range(0, size)
    headers["Content-Length"] = str(part.stop - part.start)
    # Text was taken because it is UTF-8.
    headers["Content-Type"] = row["media_type"] + ("; charset=utf-8" if row["media_type"].startswith("text/") else "")
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    blocks = documents.current().read(content_path(row["sha256"]), part.start, part.stop)
    # Bytes that are missing show before the answer begins: then it can still say so.
    return StreamingResponse(_after(await anext(blocks), blocks), status, headers)


def read_range(header: str | None, size: int) -> Range | None:
    """The single range that a Range header asks for; an empty one when it lies outside.

    None for what may be ignored (RFC 9110, 14.2): no header, another unit, several ranges, nonsense.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or found[0] == "" or not (found[1] or found[2]) or max(map(len, found.groups())) > 18:
        return None
    if not found[1]:
        return Range(max(0, size - int(found[2])), size)
    start, stop = int(found[1]), int(found[2]) + 1 if found[2] else size
    return None if stop <= start and found[2] else Range(start, min(stop, size))


def disposition(name: str) -> str:
    """Content-Disposition (RFC 6266) that saves under `name`, with what old clients understand before it."""
    return f"attachment; filename=\"{_PLAIN.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _names(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (part.strip() for part in header.split(","))


async def _after(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in others:
        yield block
