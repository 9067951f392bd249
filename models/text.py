"""Text as it is compared, and as it counts: databases disagree about lower() and collation, so keys are made here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def key(value: str) -> str:
    """The form in which names are compared, sorted and found: NFKC, case folded, single spaces."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


# Letters whose stroke or ligature is no combining mark. `ß` folds to "ss" by itself.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "\u0131": "i"}
)  # the last is i without its dot
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "þ": "th"})
# In Japanese these make other letters, not accents.
_VOICED = frozenset("\u3099\u309a")
# A number as people write it, in groups.
_NUMBER = re.compile(r"\d[\d ().\-/]*[ ().\-/][\d ().\-/]*\d")
_NO_DIGIT = re.compile(r"\D")


def folded(value: str) -> str:
    """The form in which text is searched: compatibility forms, case, accents and what cannot be seen are ignored,
    digits are 0 to 9, spaces single. Folding what is folded changes nothing.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value).casefold())
    kept = "".join(character for raw in decomposed for character in _kept(raw)).translate(_LETTERS)
    return " ".join(unicodedata.normalize("NFC", kept.translate(_LIGATURES)).split())


def _kept(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Cf" or (unicodedata.combining(character) and character not in _VOICED):
        return ""
    return str(unicodedata.digit(character)) if category == "Nd" else character


def digits(value: str) -> str:
    """Only the digits 0 to 9 of folded text."""
    return _NO_DIGIT.sub("", value)


def search_key(parts: Iterable[str | None]) -> str:
    """What a row is found by: its parts folded, and numbers that are written in groups also in one piece."""
    texts = [folded(part) for part in parts if part]
    numbers = [digits(match[0]) for text in texts for match in _NUMBER.finditer(text)]
    return " ".join([*texts, *numbers])


def counted(number: int, noun: str) -> str:
    """So many of them in English: “1 customer”, “1,200 customers”."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
