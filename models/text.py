"""Text as it is compared: databases disagree about lower() and collation, so keys are made here."""

from __future__ import annotations

import unicodedata


def key(value: str) -> str:
    """The form in which names are compared, sorted and found: NFKC, case folded, single spaces."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
