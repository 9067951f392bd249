"""Plain text: one line or many, in Unicode NFC, without characters that hide or reorder what a reader sees."""

from __future__ import annotations

import re
import unicodedata

from models.fault import Fault

Field = tuple[str | int, ...]

# The space separators (Zs). str.strip() would also take control characters, which are refused instead.
_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_ENDS = _SPACES + "\t\r\n"
_RUN_OF_SPACES = re.compile(f"[{_SPACES}]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LAYOUT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Embeddings, overrides and isolates make text read otherwise than it is stored (https://trojansource.codes).
# The plain marks U+200E, U+200F and U+061C stay: names in right-to-left scripts need them.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Letters and symbols that show nothing, although their category says otherwise.
_BLANK_GLYPHS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def line(value: str, field: Field, *, longest: int = 200) -> str:
    """One visible line of at most `longest` code points: NFC, trimmed, each run of spaces made one space."""
    text = value.strip(_ENDS)
    _refuse_hidden(text, field, _CONTROL, "Write this on one line, without tabs or other control characters.")
    text = _RUN_OF_SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return _sized(text, field, longest)


def optional_line(value: str | None, field: Field, *, longest: int = 200) -> str | None:
    """As `line`, with None for None and for blank text."""
    if value is None or not value.strip(_ENDS):
        return None
    return line(value, field, longest=longest)


def body(value: str, field: Field, *, longest: int = 20_000) -> str:
    """Visible text of many lines, at most `longest` code points: NFC, trimmed, LF line ends; tabs and spaces stay."""
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip(_ENDS)
    _refuse_hidden(text, field, _CONTROL_BUT_LAYOUT, "Remove control characters; line breaks and tabs may stay.")
    return _sized(unicodedata.normalize("NFC", text), field, longest)


def _refuse_hidden(text: str, field: Field, control: re.Pattern[str], advice: str) -> None:
    if control.search(text):
        raise Fault.invalid(advice, *field)
    if _SURROGATE.search(text):
        raise Fault.invalid("Write this again: it holds half of a character (a lone UTF-16 surrogate).", *field)
    if _REORDERING.search(text):
        raise Fault.invalid("Remove the invisible characters that change the direction of the text.", *field)


def _sized(text: str, field: Field, longest: int) -> str:
    if not any(_is_visible(character) for character in text):
        raise Fault.invalid("Write something here: it is empty or shows nothing.", *field)
    if len(text) > longest:
        raise Fault.invalid(f"Shorten this to at most {longest:,} characters: it has {len(text):,}.", *field)
    return text


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] not in "ZM" and category not in {"Cc", "Cf"} and character not in _BLANK_GLYPHS
