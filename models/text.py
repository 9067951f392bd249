"""Text as it is compared, and as it counts: databases disagree about lower() and collation, so keys are made here."""

from __future__ import annotations

import unicodedata


def key(value: str) -> str:
    """The form in which names are compared, sorted and found: NFKC, case folded, single spaces."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def counted(number: int, noun: str) -> str:
    """So many of them in English: “1 customer”, “1,200 customers”."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
