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
from starlette.responses import PlainTextResponse, Response, StreamingResponse

import models
from audit import Actor, Request
from counterfoil.door.requests import client_address, request_id
from models import Permission, Row, download, signing_key
from models.rows import by_ids
from services import documents
from services.documents.storage import content_path
from services.throttling import record_refusal
from services.viewer import find_grantee

ROUTE = download.PATH + "{token}/{name}"

_RANGE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~()]")


class Range(NamedTuple):
    """Some of the bytes: from `start` up to and without `stop`."""

    start: int
    stop: int


class Downloads:
    """The endpoint."""

    def __init__(self, trusted_proxies: Collection[str]) -> None:
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: HTTPRequest) -> Response:
        """Answer one request: 404 for an address that is not ours, 410 for one that is too old."""
        [secret] = await signing_key.by_names([signing_key.DOWNLOADS])
        try:
            link = download.read(request.path_params["token"], secret)
        except download.Expired:
            return _refusal(410, "This address is too old. Ask for a new one.")
        if link is None:
            return _refusal(404, "There is nothing at this address.")
        viewer = await find_grantee(link.grantee_id)
        if viewer is None:
            return _refusal(403, "Whoever asked for this address is not signed in any more. Ask for a new one.")
        needed = Permission.DOCUMENTS_READ if link.position is None else Permission.COMMUNICATIONS_READ
        if not viewer.may(needed):
            return await self._refuse(request, viewer, needed)
        if link.position is not None:
            return await self._answer_attachment(request, viewer, link.id, link.position)
        [row] = await by_ids(models.Document)([link.id])
        if row is None:
            return _refusal(410, "This document has been deleted.")
        return await answer(request, row)

    async def _answer_attachment(
        self, request: HTTPRequest, viewer: Actor, communication_id: str, position: int
    ) -> Response:
        [row] = await by_ids(models.Communication)([communication_id])
        if row is None:
            return _refusal(410, "This email is not in the log any more.")
        if row["about_sales"] and not viewer.may(Permission.SALES_DOCUMENTS_READ):
            return await self._refuse(request, viewer, Permission.SALES_DOCUMENTS_READ)
        attachment = json.loads(row["attachments"])[position]
        if attachment["document_id"] is not None and not viewer.may(Permission.DOCUMENTS_READ):
            return await self._refuse(request, viewer, Permission.DOCUMENTS_READ)
        return await answer(request, attachment)

    async def _refuse(self, request: HTTPRequest, viewer: Actor, needed: Permission) -> Response:
        sent = Request(request_id(request.scope), client_address(request, self._trusted_proxies))
        await record_refusal(viewer, sent, f"Downloading needs the permission {needed.value}.")
        return _refusal(403, f"This needs the permission {needed.value}.")


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


def _refusal(status: int, message: str) -> Response:
    return PlainTextResponse(message + "\n", status)
