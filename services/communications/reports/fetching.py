"""Fetching something small by HTTPS: in a thread, in bounded time, without following anybody elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from http.client import HTTPException, HTTPMessage
from typing import IO, NoReturn
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

# Seconds for each step of the connection, and bytes.
_TIMEOUT = 10
_LARGEST = 64 * 1024


class Unfetched(Exception):
    """It could not be fetched; the message says why, without the address."""


class _Nowhere(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> NoReturn:
        raise HTTPError(req.full_url, code, "a redirection", headers, fp)


async def fetch(url: str) -> bytes:
    """The body at an https address that is known to be good. Unfetched."""
    return await asyncio.to_thread(_fetch, url)


def _fetch(url: str) -> bytes:
    opener = build_opener(_Nowhere, HTTPSHandler(context=ssl.create_default_context()))
    try:
        with opener.open(url, timeout=_TIMEOUT) as response:
            body: bytes = response.read(_LARGEST + 1)
    except HTTPError as error:
        error.close()
        raise Unfetched(f"the answer was {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unfetched(type(getattr(error, "reason", error)).__name__) from error
    if len(body) > _LARGEST:
        raise Unfetched("the answer is too long")
    return body
