"""Compiling PDFs with Typst: one compiler in each process, in a thread of its own, so that the loop goes on.

Layouts are the `.typ` files beside this module. What is shown is handed over as JSON: nothing that comes from outside
is ever read as markup, and nothing is loaded from the disk or the network.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from models import Busy

MEDIA_TYPE = "application/pdf"

_FOLDER = Path(__file__).parent
_SHARED = "sheet.typ"
# PDF/UA-1 (ISO 14289-1): tagged, with title and language, so that screen readers can read it out.
_STANDARD: Literal["ua-1"] = "ua-1"

# The compiler keeps what it has made for ten more documents, with everything that it said. After as many empty ones it
# has forgotten: a process that makes statements of 500 rows stays at 120 MiB instead of growing to 400.
_FORGOTTEN_AFTER = 11
_EMPTY = b""

# What the standard does not allow, and what PDFs do without it.
_UNSHOWN = ("could not be displayed", "missing codepoints")

# A compiler is no two threads' at once, and one uses all cores where that helps.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")
# So many documents are made or wait at most: nobody waits for more than a few seconds.
MOST_WAITING = 32
_places = threading.BoundedSemaphore(MOST_WAITING)


class TooManyWaiting(Busy):
    """So many documents wait to be made that this one does not even begin to."""

    message = "Too many PDFs are being made right now: try again in a moment."


async def compiled(layout: str, data: Mapping[str, Any], day: date) -> bytes:
    """The PDF of a layout with the data: values that JSON knows. `day` is when it says that it was made: equal data
    make equal bytes. TooManyWaiting (Busy) when the process has enough to do. Who is cancelled leaves the line.
    """
    if not _places.acquire(blocking=False):
        raise TooManyWaiting
    future = _thread.submit(compile_now, layout, data, day)
    # Also when nobody waits any more: the thread is busy until it is done.
    future.add_done_callback(lambda _: _places.release())
    return await asyncio.wrap_future(future)


def compile_now(layout: str, data: Mapping[str, Any], day: date, fonts: typst.Fonts | None = None) -> bytes:
    """As `compiled`, here and now, or with these fonts only; for one thread at a time."""
    compiler = _compiler() if fonts is None else _new_compiler(fonts)
    sent = {
        "input": _layout(layout),
        "format": "pdf",
        "sys_inputs": {"data": json.dumps({**data, "day": [day.year, day.month, day.day]}, ensure_ascii=False)},
        "timestamp": datetime.combine(day, time(), UTC),
    }
    try:
        made = _compile(compiler, sent)
    finally:
        for _ in range(_FORGOTTEN_AFTER):
            compiler.compile(_EMPTY, format="pdf")
    return made


def _compile(compiler: typst.Compiler, sent: Mapping[str, Any]) -> bytes:
    try:
        made = compiler.compile(**sent, pdf_standards=[_STANDARD])
    except typst.TypstError as error:
        # A character for which this machine has no font is a box, and some scripts have shapes without a character of
        # their own: the page can be read without the standard, which knows neither.
        if not any(reason in error.message for reason in _UNSHOWN):
            raise
        made = compiler.compile(**sent)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@cache
def _compiler() -> typst.Compiler:
    # The fonts of the wheel are what layouts ask for; those of the machine stand in for scripts that they lack.
    return _new_compiler(typst.Fonts())


def _new_compiler(fonts: typst.Fonts) -> typst.Compiler:
    return typst.Compiler(root=_FOLDER, font_paths=fonts, ignore_system_fonts=True)


@cache
def _layout(name: str) -> bytes:
    return (_FOLDER / _SHARED).read_bytes() + (_FOLDER / name).read_bytes()
