"""PDFs as readers see them: their text, page by page, where it stands, and what they say about themselves."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

_MM = 72 / 25.4
SIDE, TOP, FOOT = 20 * _MM, 18 * _MM, 6 * _MM


@dataclass(frozen=True)
class Pdf:
    """What a PDF has: its pages' text, their size in points, its title and author, its language, whether it is tagged.

    `outside` is the text that stands beyond the margins of a page.
    """

    pages: list[str]
    size: tuple[int, int]
    title: str
    author: str
    created: str
    language: str
    tagged: bool
    outside: list[str]

    @property
    def text(self) -> str:
        """The text of all pages, its white space made single spaces."""
        return " ".join(" ".join(self.pages).split())

    @property
    def letters(self) -> str:
        """The text without any white space: lines may end anywhere in a long word."""
        return "".join(self.text.split())


def opened(data: bytes) -> Pdf:
    """Read a PDF. AssertionError when its pages have different sizes."""
    document = pypdfium2.PdfDocument(data)
    try:
        about: dict[str, Any] = document.get_metadata_dict()
        texts: list[str] = []
        outside: list[str] = []
        sizes: set[tuple[int, int]] = set()
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_range())
            width, height = page.get_size()
            sizes.add((round(width), round(height)))
            outside += _outside(page, text)
        [size] = sizes
        language, tagged = _language(document), bool(pdfium.FPDFCatalog_IsTagged(document))
        return Pdf(texts, size, about["Title"], about["Author"], about["CreationDate"], language, tagged, outside)
    finally:
        document.close()


def _outside(page: Any, text: Any) -> Iterator[str]:
    width, height = page.get_size()
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        # Punctuation hangs over the edge a little.
        if left < SIDE - 2 or right > width - SIDE + 2 or top > height - TOP + 4 or bottom < FOOT:
            yield text.get_text_bounded(left, bottom, right, top)


def _language(document: Any) -> str:
    size = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw.decode("utf-16-le").rstrip("\0")
