"""How a QuickBooks Online customer is reached: free text in its email and phone members, read as contact methods."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from models.contact_method import ContactMethodKind
from models.fault import Fault
from services import values
from services.quickbooks_online.entry import Entry

_EMAIL = "PrimaryEmailAddr.Address"
# Member, kind, label, and what the text is called when it is no number.
_PHONES = (
    ("PrimaryPhone", ContactMethodKind.PHONE, None, "Phone"),
    ("AlternatePhone", ContactMethodKind.PHONE, "Alternate", "Alternate phone"),
    ("Mobile", ContactMethodKind.MOBILE, None, "Mobile"),
    ("Fax", ContactMethodKind.FAX, None, "Fax"),
)

_QUOTED = re.compile(r'"[^"]*"')
# A name before an address in angle brackets, from the last separator on; it may hold commas but no address.
_NAMED = re.compile(r"(?:^|(?<=[,;>]))[^@;<>]*<([^<>]*)>")
_BETWEEN_EMAILS = re.compile(r"[\s,;<>]+")
_BETWEEN_PHONES = re.compile(r"\s*(?:[;,/|&]|\bor\b|\band\b)\s*", re.IGNORECASE)

Method = dict[str, Any]


def methods(entry: Entry, countries: Sequence[str]) -> list[Method]:
    """The entry's contact methods, at most 20, none twice, the first of each kind preferred.

    Numbers without a country code are tried as those of each of `countries`. A phone text that is no number stays as
    a method of kind OTHER; an email text that is no address is left out. Both are noted as problems.
    """
    found: dict[tuple[str, str], Method] = {}
    for method in (*_emails(entry), *_numbers(entry, countries)):
        found.setdefault(values.identity(method["kind"], method["value"]), method)
    kept = list(found.values())
    if len(kept) > values.METHOD_LIMIT:
        entry.report(f"Only the first {values.METHOD_LIMIT} contact methods are kept, of {len(kept)}.", _EMAIL)
        del kept[values.METHOD_LIMIT :]
    settled: set[str] = set()
    for method in kept:
        method["preferred"] = method["kind"] not in settled
        settled.add(method["kind"])
    return kept


def _emails(entry: Entry) -> Iterator[Method]:
    written = _NAMED.sub(r" \1 ", _QUOTED.sub(" ", entry.text("PrimaryEmailAddr", "Address")))
    for part in _BETWEEN_EMAILS.split(written):
        address = re.sub(r"(?i)^mailto:", "", part)
        value = entry.attempt(_EMAIL, values.email, address) if address else None
        if value is not None:
            yield _method(ContactMethodKind.EMAIL, value)


def _numbers(entry: Entry, countries: Sequence[str]) -> Iterator[Method]:
    for member, kind, label, name in _PHONES:
        written = entry.text(member, "FreeFormNumber")
        if not written:
            continue
        field = f"{member}.FreeFormNumber"
        numbers = _read_numbers(written, countries)
        if numbers:
            yield from (_method(kind, number, label) for number in numbers)
            continue
        text = entry.attempt(field, values.line, written)
        if text is not None:
            entry.report("This is not a complete phone number: its text is kept as a method of kind OTHER.", field)
            yield _method(ContactMethodKind.OTHER, text, name)


def _read_numbers(written: str, countries: Sequence[str]) -> list[str]:
    whole = _number(written, countries)
    if whole is not None:
        return [whole]
    parts = [_number(part, countries) for part in _BETWEEN_PHONES.split(written) if part]
    # One part that is no number may be a remark that explains the others: then the text stays whole.
    return [] if None in parts else [part for part in parts if part is not None]


def _number(written: str, countries: Sequence[str]) -> str | None:
    for country in countries:
        try:
            return values.phone(written, (), country=country)
        except Fault:
            continue
    return None


def _method(kind: ContactMethodKind, value: str, label: str | None = None) -> Method:
    return {"kind": kind.value, "value": value, "label": label, "preferred": False}
