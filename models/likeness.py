"""What tells that two customers may be the same: keys that are compared, and how alike two names are.

All of it is pure. The keys are derived columns of customers; a key is None where there is nothing to compare.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from models import text
from models.contact_method import preferred
from models.table import Row

# From here on, of 0 to 1, two names in one city are alike.
SIMILAR = 0.9

# What says how a company is constituted, and nothing about which one it is; also in parts, as “s.a.r.l.” is split.
_FORMS = (
    "ab ag aps as asa bv bvba cie co company corp corporation cv eg ek eirl eurl ev gbr gesellschaft gmbh inc"
    " incorporated kft kg kgaa kk limitada limited llc llp lp ltd ltda mbh nv ohg oy oyj plc pllc pte pty pvt sa sarl"
    " sas sasu scs sl slu snc sp spa sprl srl sro ug unlimited zoo"
)
_LEGAL_FORMS = frozenset(_FORMS.split())
_CONNECTORS = frozenset({"and", "et", "the", "und", "y"})
# Letters that NFKD leaves whole and that people write otherwise.
_WRITTEN_OUT = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "\u0131": "i"})
_APOSTROPHES = re.compile("['`\u2019\u00b4]")
# Dots between single letters: “S.A.R.L.” is one word.
_INITIALS = re.compile(r"\b\w(?:\.\s?\w\b)+\.?")
_WORD = re.compile(r"[^\W_]+")


def name_key(name: str) -> str:
    """A name without accents, case, punctuation, legal forms and the order of its words.

    Words that say nothing stay when there are no others: a company may be called “The Company”.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    bare = "".join(character for character in folded if not unicodedata.combining(character)).translate(_WRITTEN_OUT)
    joined = _INITIALS.sub(lambda initials: re.sub(r"[.\s]", "", initials[0]) + " ", _APOSTROPHES.sub("", bare))
    words = _WORD.findall(joined)
    telling = [word for word in words if word not in _LEGAL_FORMS and word not in _CONNECTORS]
    return " ".join(sorted(telling or words))


def tax_key(tax_id: str | None) -> str | None:
    """A tax id without all that is not a letter or a digit, in capitals."""
    kept = (character for character in unicodedata.normalize("NFKC", tax_id or "").upper() if character.isalnum())
    return "".join(kept) or None


def keys(row: Mapping[str, Any]) -> Row:
    """The derived columns of a customer. Read are name, methods, billing_address, shipping_address and tax_id.

    The city is that of the billing address, else of the shipping address.
    """
    methods = row["methods"]
    cities = ((row[name] or {}).get("city") for name in ("billing_address", "shipping_address"))
    email = preferred(methods, "EMAIL")
    return {
        "email_key": text.key(email) if email else None,
        "phone_key": preferred(methods, "PHONE") or preferred(methods, "MOBILE"),
        "tax_key": tax_key(row["tax_id"]),
        "city_key": next((name_key(city) or None for city in cities if city), None),
        "match_key": name_key(row["name"]),
    }


def similar(one: str, others: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Of (id, name key) pairs those whose names are alike, with how much: 1 is the same name.

    Keys have their words in order, so the order of the words in the names does not matter.
    """
    if not one:
        return {}
    found = {identifier: fuzz.ratio(one, key, score_cutoff=100 * SIMILAR) / 100 for identifier, key in others}
    return {identifier: ratio for identifier, ratio in found.items() if ratio}
