"""What a document may be called: one name of a file that every system can keep, and that hides nothing."""

from __future__ import annotations

import re

from models import Fault
from services import values

LONGEST = 255

_FIELD = ("name",)
_PARTING = re.compile(r"[/\\]")
# Windows keeps no such names, and a person who downloads the document may have it.
_UNKEPT = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_EXTENSION = re.compile(r"[0-9a-z]{1,10}")


def clean(name: str) -> str:
    """The name in NFC, without spaces at its ends. Fault INVALID at `name`, which says what to do."""
    kept = values.line(name, _FIELD, longest=LONGEST)
    if _PARTING.search(kept):
        raise Fault.invalid("Leave out folders: a document's name has no / and no \\.", *_FIELD)
    if found := _UNKEPT.search(kept):
        raise Fault.invalid(f"Leave out {found[0]}: not every system can keep a file with it in its name.", *_FIELD)
    if kept.startswith("."):
        raise Fault.invalid("Let the name begin with something else than a dot: such files are hidden.", *_FIELD)
    if kept.endswith("."):
        raise Fault.invalid("Let the name end with something else than a dot.", *_FIELD)
    if _RESERVED.fullmatch(kept):
        raise Fault.invalid("Choose another name: Windows keeps this one for a device.", *_FIELD)
    size = len(kept.encode())
    if size > LONGEST:
        raise Fault.invalid(f"Shorten this to at most {LONGEST} bytes of UTF-8: it has {size}.", *_FIELD)
    return kept


def extension(name: str) -> str | None:
    """What follows the last dot, in lower case: None without one, and for version numbers and the like."""
    _, dot, end = name.lower().rpartition(".")
    return end if dot and _EXTENSION.fullmatch(end) and not end.isdigit() else None
