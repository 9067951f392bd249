"""What files are, told by their bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from models import Fault
from services.documents.media_type import ACCEPTED, Recogniser
from services.documents.name import extension

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000


def archive(*names: str, padding: int = 0) -> bytes:
    """A ZIP archive with empty files of these names, the first after `padding` bytes of another."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        if padding:
            file.writestr("[Content_Types].xml", bytes(range(256)) * (padding // 256))
        for name in names:
            file.writestr(name, OPEN + name.rpartition(".")[2] if name.startswith("mimetype") else "")
    return made.getvalue()


def open_document(kind: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("mimetype", OPEN + kind)
        file.writestr("content.xml", "")
    return made.getvalue()


def recognised(content: bytes, name: str, block: int = 1000) -> str:
    recogniser = Recogniser()
    for start in range(0, len(content), block):
        recogniser.see(content[start : start + block])
    return recogniser.media_type(name)


GOOD: list[tuple[str, bytes, str]] = [
    ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
    ("text only.pdf", b"%PDF-1.4\n1 0 obj\n", "application/pdf"),
    ("after a blank line.pdf", b"\r\n%PDF-1.4\n\xff", "application/pdf"),
    ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 20, "image/png"),
    ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + b"\0" * 20 + b"\xff\xd9", "image/jpeg"),
    ("a.JPEG", b"\xff\xd8\xff\xe1\0\x10Exif\0\1" + b"\0" * 20, "image/jpeg"),
    ("a.gif", b"GIF89a\1\0\1\0\x80\0\0", "image/gif"),
    ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 30, "image/webp"),
    ("a.tif", b"II*\0\x08\0\0\0" + b"\0" * 20, "image/tiff"),
    ("a.tiff", b"MM\0*\0\0\0\x08" + b"\0" * 20, "image/tiff"),
    ("a.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + b"\0" * 30, "image/bmp"),
    ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 20, "image/heif"),
    ("a.docx", archive("[Content_Types].xml", "word/document.xml"), OFFICE + "wordprocessingml.document"),
    ("a.xlsx", archive("xl/workbook.xml", padding=200_000), OFFICE + "spreadsheetml.sheet"),
    ("a.pptx", archive("ppt/presentation.xml", padding=990), OFFICE + "presentationml.presentation"),
    ("a.odt", open_document("text"), OPEN + "text"),
    ("a.ods", open_document("spreadsheet"), OPEN + "spreadsheet"),
    ("a.odp", open_document("presentation"), OPEN + "presentation"),
    ("a.doc", OLE + "WordDocument".encode("utf-16-le"), "application/msword"),
    ("a.xls", OLE + b"\0" * 50_000 + "Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
    ("a.ppt", OLE + "PowerPoint Document".encode("utf-16-le"), "application/vnd.ms-powerpoint"),
    ("a.rtf", b"{\\rtf1\\ansi Hello}", "application/rtf"),
    ("a.zip", archive("a.txt"), "application/zip"),
    ("of documents.zip", archive("Offer.docx", "word/document.xml"), "application/zip"),
    ("empty.zip", archive(), "application/zip"),
    ("a.txt", "Straße\r\n\tзаказ\f".encode(), "text/plain"),
    ("with a mark.txt", b"\xef\xbb\xbfwith a mark", "text/plain"),
    ("README", b"no extension", "text/plain"),
    ("Offer No. 12", b"no extension either", "text/plain"),
    ("Version 1.2", b"nor this", "text/plain"),
    ("a.csv", b"a;b\n1;2\n", "text/csv"),
    ("a.tsv", b"a\tb\n", "text/tab-separated-values"),
    ("a.json", b'\n{"a": 1}', "application/json"),
    ("a.xml", b"<?xml version='1.0'?><a/>", "application/xml"),
    ("without a declaration.xml", b"<Invoice/>", "application/xml"),
    ("a", b"<?xml version='1.0'?><a/>", "application/xml"),
    ("a.eml", b"Received: from a\r\n by b\r\nSubject: Hello\r\n\r\nHello", "message/rfc822"),
]


@pytest.mark.parametrize(("name", "content", "media_type"), GOOD, ids=[name for name, _, _ in GOOD])
@pytest.mark.parametrize("block", [61, 1000, 1_000_000])
def test_what_is_accepted(name: str, content: bytes, media_type: str, block: int) -> None:
    assert recognised(content, name, block) == media_type


def test_every_accepted_type_is_tried() -> None:
    assert {media_type for _, _, media_type in GOOD} == set(ACCEPTED)


BAD: list[tuple[str, bytes, str, str]] = [
    ("a.exe", b"MZ\x90\0\3\0\0\0", "file", "a Windows program"),
    ("a", b"\x7fELF\2\1\1" + b"\0" * 60, "file", "a program"),
    ("a.txt", b"#!/bin/sh\nrm -rf /\n", "file", "a script"),
    ("a.txt", b"\n <!DOCTYPE HTML><html>", "file", "an HTML page"),
    ("a.xml", b"<script>alert(1)</script>", "file", "an HTML page"),
    ("a.pdf", b"%!PS-Adobe-3.0\n", "file", "PostScript"),
    ("a.docx", archive("word/document.xml", "word/vbaProject.bin"), "file", "an office document with macros"),
    ("a.xls", OLE + "Workbook_VBA_PROJECT".encode("utf-16-le"), "file", "an office document with macros"),
    ("a.msi", OLE, "file", "an old office file of another kind"),
    ("a.odg", open_document("graphics"), "file", "vnd.oasis.opendocument.graphics"),
    ("a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 20, "file", "video/mp4"),
    ("a.gz", b"\x1f\x8b\x08\0" + b"\0" * 20, "file", "gzip"),
    ("a.csv", "Müller;Straße\n".encode("latin-1"), "file", "text must be UTF-8"),
    ("a.csv", "a;b\n".encode("utf-16"), "file", "text must be UTF-8"),
    ("a.txt", b"text\0", "file", "text must be UTF-8"),
    ("a.txt", b"bell\x07", "file", "text must be UTF-8"),
    ("a.txt", "ä".encode()[:1], "file", "text must be UTF-8"),
    ("a.bin", bytes(range(128, 256)), "file", "not known here"),
    ("a.js", b"alert(1)", "name", "plain text: end it with .txt"),
    ("a.svg", b"<?xml version='1.0'?><svg/>", "name", "XML: end it with .xml"),
    ("a.svg", b"<svg/>", "name", "plain text"),
    ("a.bat", b"@echo off", "name", ".bat"),
    ("a.json", b"hello", "name", "plain text"),
    ("a.eml", b"hello", "name", "plain text"),
    ("a.xml", b"hello", "name", "plain text"),
    ("a.txt", b"%PDF-1.7", "name", "a PDF: end it with .pdf"),
    ("a.docx", archive("xl/workbook.xml"), "name", "an Excel workbook: end it with .xlsx"),
    ("a.docx", archive("a.txt"), "name", "a ZIP archive"),
    ("a.pdf.exe", b"%PDF-1.7", "name", ".exe"),
]


@pytest.mark.parametrize(
    ("name", "content", "field", "said"), BAD, ids=[f"{number} {name}" for number, (name, *_) in enumerate(BAD)]
)
def test_what_is_not_accepted_is_told(name: str, content: bytes, field: str, said: str) -> None:
    with pytest.raises(Fault) as fault:
        recognised(content, name)
    assert fault.value.field == (field,)
    assert said in fault.value.message
    assert fault.value.message.endswith(".")


@pytest.mark.parametrize(
    ("name", "end"),
    [("a.PDF", "pdf"), ("a.tar.gz", "gz"), ("a", None), ("a.", None), ("1.25", None), ("a.b c", None), ("Nr. 5", None)],
)
def test_extensions(name: str, end: str | None) -> None:
    assert extension(name) == end
