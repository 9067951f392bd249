"""What a file is, told by its bytes: never by its name, nor by what its sender says.

The name only decides between kinds of text, where the bytes allow it. It must not contradict the bytes: whoever
downloads a document opens it by its name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

import puremagic

from models import Fault
from services.documents.name import extension

# Media type → what a person calls it, and the extensions that go with it, the usual one first.
ACCEPTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "application/pdf": ("a PDF", ("pdf",)),
    "image/png": ("a PNG image", ("png",)),
    "image/jpeg": ("a JPEG image", ("jpg", "jpeg", "jpe", "jfif")),
    "image/gif": ("a GIF image", ("gif",)),
    "image/webp": ("a WebP image", ("webp",)),
    "image/tiff": ("a TIFF image", ("tif", "tiff")),
    "image/bmp": ("a BMP image", ("bmp",)),
    "image/heif": ("a HEIF image", ("heic", "heif")),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("a Word document", ("docx",)),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("an Excel workbook", ("xlsx",)),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("a PowerPoint file", ("pptx",)),
    "application/vnd.oasis.opendocument.text": ("an OpenDocument text", ("odt",)),
    "application/vnd.oasis.opendocument.spreadsheet": ("an OpenDocument spreadsheet", ("ods",)),
    "application/vnd.oasis.opendocument.presentation": ("an OpenDocument presentation", ("odp",)),
    "application/msword": ("an old Word document", ("doc",)),
    "application/vnd.ms-excel": ("an old Excel workbook", ("xls",)),
    "application/vnd.ms-powerpoint": ("an old PowerPoint file", ("ppt",)),
    "application/rtf": ("a rich text document", ("rtf",)),
    "application/zip": ("a ZIP archive", ("zip",)),
    "text/plain": ("plain text", ("txt", "text", "log", "md")),
    "text/csv": ("text", ("csv",)),
    "text/tab-separated-values": ("text", ("tsv",)),
    "application/json": ("JSON", ("json",)),
    "application/xml": ("XML", ("xml",)),
    "message/rfc822": ("an email", ("eml",)),
}
ADVICE = "PDF, images, office documents without macros, text, CSV, XML, JSON, emails (EML) and ZIP are accepted."

_TEXTS = ("text/plain", "text/csv", "text/tab-separated-values")
_ALIASES = {"image/x-ms-bmp": "image/bmp", "image/heic": "image/heif"}
_HEAD = 64 * 1024
_TAIL = 1024

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument."
# What stands somewhere in a file that begins as a ZIP archive or an OLE compound file, the first one found decides.
_MARKS: Mapping[bytes, tuple[tuple[bytes, str], ...]] = {
    b"PK": (
        (b"vbaProject.bin", "an office document with macros"),
        (b"word/document", _OFFICE + "wordprocessingml.document"),
        (b"xl/workbook.xml", _OFFICE + "spreadsheetml.sheet"),
        (b"ppt/presentation", _OFFICE + "presentationml.presentation"),
    ),
    _OLE[:2]: (
        ("_VBA_PROJECT".encode("utf-16-le"), "an office document with macros"),
        ("WordDocument".encode("utf-16-le"), "application/msword"),
        ("Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
        ("PowerPoint Document".encode("utf-16-le"), "application/vnd.ms-powerpoint"),
    ),
}
_OVERLAP = 64
_OPEN_DOCUMENT = re.compile(rb"PK\x03\x04.{26}mimetype(application/vnd\.oasis\.opendocument\.[a-z]+)", re.DOTALL)
# An archive that holds office documents is none itself: the first name in it tells.
_OFFICE_ARCHIVE = re.compile(
    rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|_rels/|docProps/|customXml/|word/|xl/|ppt/)", re.DOTALL
)
_PROGRAMS = ((b"MZ", "a Windows program"), (b"\x7fELF", "a program"), (b"#!", "a script"))
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_HTML = re.compile(r"\s*<(!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_XML = re.compile(r"\s*<[?!a-z_]", re.IGNORECASE)
_JSON = re.compile(r'\s*[\[{"\-0-9tfn]')
_EMAIL = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2}")


class Recogniser:
    """Sees a file pass by, block after block."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._marks: set[bytes] = set()
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8-sig")()

    def see(self, block: bytes) -> None:
        """The next block of the file."""
        for mark, _ in _MARKS.get((self._head or block)[:2], ()):
            if mark in block or mark in self._tail[-_OVERLAP:] + block[:_OVERLAP]:
                self._marks.add(mark)
        self._head += block[: _HEAD - len(self._head)]
        self._tail = (self._tail + block[-_TAIL:])[-_TAIL:]
        self._read(block, final=False)

    def media_type(self, name: str) -> str:
        """What the file is, once all of it has passed. Fault at `file` or at `name`."""
        self._read(b"", final=True)
        found = self._by_signature() or (self._text(name) if self._decoder is not None else self._by_magic())
        if found not in ACCEPTED:
            raise Fault.invalid(f"This is {found}, which is not accepted. {ADVICE}", "file")
        check_name(name, found)
        return found

    def _read(self, block: bytes, *, final: bool) -> None:
        if self._decoder is None:
            return
        try:
            if _CONTROL.search(self._decoder.decode(block, final)):
                self._decoder = None
        except UnicodeDecodeError:
            self._decoder = None

    def _by_signature(self) -> str | None:
        head = self._head
        for start, what in _PROGRAMS:
            if head.startswith(start) and (self._decoder is None or start == b"#!"):
                return what
        if open_document := _OPEN_DOCUMENT.match(head):
            return open_document[1].decode()
        if _OFFICE_ARCHIVE.match(head) or head.startswith(_OLE):
            marked = [what for mark, what in _MARKS[head[:2]] if mark in self._marks]
            other = "application/zip" if head.startswith(_ZIP) else "an old office file of another kind"
            return (marked or [other])[0]
        if head.startswith(_ZIP):
            return "application/zip"
        if b"%PDF-" in head[:1024]:
            return "application/pdf"
        if head.startswith(b"{\\rtf"):
            return "application/rtf"
        return "PostScript" if head.startswith(b"%!PS") else None

    def _text(self, name: str) -> str:
        head = self._head.decode("utf-8-sig", "ignore").replace("\r\n", "\n")
        end = extension(name)
        if end == "eml" and _EMAIL.match(head):
            return "message/rfc822"
        if _HTML.match(head):
            return "an HTML page"
        if end == "json" and _JSON.match(head):
            return "application/json"
        if head.lstrip().startswith("<?xml") or (end == "xml" and _XML.match(head)):
            return "application/xml"
        return text_type(name)

    def _by_magic(self) -> str:
        try:
            matches = puremagic.magic_string(self._head + self._tail)
        except puremagic.PureError:
            matches = []
        named = [_ALIASES.get(match.mime_type, match.mime_type) for match in matches if match.mime_type]
        binary = [found for found in named if not found.startswith("text/")]
        return binary[0] if binary else "of a type that is not known here (text must be UTF-8)"


def text_type(name: str) -> str:
    """Which kind of plain text a file is, by its name."""
    end = extension(name)
    return next((media_type for media_type in _TEXTS if end in ACCEPTED[media_type][1]), "text/plain")


def renamed(name: str, media_type: str) -> str:
    """The media type of a document that gets another name. Fault at `name` when that contradicts it."""
    found = text_type(name) if media_type in _TEXTS else media_type
    check_name(name, found)
    return found


def check_name(name: str, media_type: str) -> None:
    """Fault at `name` when its extension belongs to something else."""
    what, extensions = ACCEPTED[media_type]
    end = extension(name)
    if end is not None and end not in extensions:
        raise Fault.invalid(f"The name ends with .{end}, but the file is {what}: end it with .{extensions[0]}.", "name")
