"""The answer to QuickBooks Online's Customer query, read into records. Pure: text in, records and problems out.

The format: https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer. QuickBooks has
one set of emails and phones per customer, so the customer and its Company Contact have the same methods. Its Title is
a form of address ("Ms."), not a position, and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services import values
from services.quickbooks_online import reach
from services.quickbooks_online.entry import Entry
from services.quickbooks_online.envelope import UnreadableDocument, customers
from services.quickbooks_online.record import ContactRecord, CustomerRecord, Facts, Problem

__all__ = ["ContactRecord", "CustomerRecord", "Problem", "Reading", "UnreadableDocument", "read"]

LONGEST_NAME = 500
_LONGEST_PERSON_NAME = 100
_LONGEST_QUALIFIED_NAME = 5 * LONGEST_NAME
# QuickBooks marks the names of inactive customers so that they can be used again.
_DELETED_MARK = re.compile(r"\s*\(deleted(?:[\s-]*\d+)?\)\s*(?=:|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What a document holds: one record per Id, in order, and everything that was not taken over."""

    customers: list[CustomerRecord]
    problems: list[Problem]


def read(document: bytes | str, *, country: str = "US") -> Reading:
    """Read one or several pages of a Customer query. `country` (alpha-2) is the company's own, for phone numbers.

    A bad value costs that value, a record without Id or name that record; each is a Problem. The later of two records
    with one Id is used. Raises UnreadableDocument when the document as a whole is no such answer.
    """
    records: dict[str, CustomerRecord] = {}
    problems: list[Problem] = []
    for position, members in enumerate(customers(document), start=1):
        if not isinstance(members, dict):
            problems.append(Problem(None, f"Customer {position} of the document is not an object."))
            continue
        entry = Entry(members)
        entry.external_id = entry.attempt("Id", values.optional_line, entry.text("Id"))
        if entry.external_id is None:
            entry.report(f"Customer {position} of the document has no Id.", "Id")
        elif entry.says("sparse", default=False):
            entry.report("It has only some of its fields, and the others would be lost: SELECT * FROM Customer.", None)
        elif members.get("status") == "Deleted":
            entry.report("deleted in QuickBooks", None)
            records.pop(entry.external_id, None)
        else:
            _add(records, entry, entry.external_id, country)
        problems.extend(entry.problems)
    return Reading(list(records.values()), list(dict.fromkeys(problems)))


def _add(records: dict[str, CustomerRecord], entry: Entry, external_id: str, country: str) -> None:
    record = _record(entry, external_id, country)
    if record is None:
        return
    if records.get(external_id, record) != record:
        entry.report("It is in the document more than once, with differences: the last one is used.", None)
    records[external_id] = record


def _record(entry: Entry, external_id: str, country: str) -> CustomerRecord | None:
    active = entry.says("Active", default=True)
    name = _name(entry, active)
    if name is None:
        entry.report("It has no name that can be used.", "DisplayName")
        return None
    billing, shipping = _address(entry, "BillAddr"), _address(entry, "ShipAddr")
    nearby = [place["country"] for place in (billing, shipping) if place and place["country"]]
    methods = reach.methods(entry, list(dict.fromkeys([*nearby, country])))
    website = entry.text("WebAddr", "URI")
    return CustomerRecord(
        external_id=external_id,
        name=name,
        kind="COMPANY" if entry.text("CompanyName") else "PERSON",
        active=active,
        methods=methods,
        website=entry.attempt("WebAddr.URI", values.url, website) if website else None,
        billing_address=billing,
        shipping_address=shipping,
        facts=_facts(entry, active),
        contact=_contact(entry, methods),
    )


def _name(entry: Entry, active: bool) -> str | None:
    for field, written in _names(entry):
        name = entry.attempt(field, values.optional_line, _unmarked(written, active), longest=LONGEST_NAME)
        if name is not None:
            return name
    return None


def _names(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "DisplayName", entry.text("DisplayName")
    # Colons part the names of a customer and of its sub-customers; the last is its own.
    yield "FullyQualifiedName", entry.text("FullyQualifiedName").rpartition(":")[2]
    yield "CompanyName", entry.text("CompanyName")
    yield "GivenName", f"{entry.text('GivenName')} {entry.text('FamilyName')}"


def _unmarked(name: str, active: bool) -> str:
    return name if active else _DELETED_MARK.sub("", name) or name


def _address(entry: Entry, member: str) -> dict[str, Any] | None:
    lines = [
        entry.attempt(f"{member}.Line{number}", values.optional_line, part)
        for number in range(1, 6)
        for part in entry.text(member, f"Line{number}").splitlines()
    ]
    parts: dict[str, Any] = {"lines": [line for line in lines if line is not None]}
    for part, name in (("city", "City"), ("region", "CountrySubDivisionCode"), ("postal_code", "PostalCode")):
        parts[part] = entry.attempt(
            f"{member}.{name}",
            values.optional_line,
            entry.text(member, name),
            longest=30 if part == "postal_code" else 100,
        )
    written = entry.text(member, "Country") or entry.text(member, "CountryCode")
    if written:
        parts["country"] = entry.attempt(f"{member}.Country", values.country, written, lenient=True)
        if parts["country"] is None:
            # Not lost: mail to that address needs it.
            parts["lines"] += filter(None, [entry.attempt(f"{member}.Country", values.optional_line, written)])
    return entry.attempt(member, values.address, parts, lenient=True)


def _facts(entry: Entry, active: bool) -> Facts:
    def text(*path: str, longest: int = 200) -> str | None:
        return entry.attempt(".".join(path), values.optional_line, entry.text(*path), longest=longest)

    currency = entry.text("CurrencyRef", "value")
    qualified = text("FullyQualifiedName", longest=_LONGEST_QUALIFIED_NAME)
    return Facts(
        payment_terms_id=text("SalesTermRef", "value"),
        payment_terms_name=text("SalesTermRef", "name"),
        currency=entry.attempt("CurrencyRef.value", values.currency, currency) if currency else None,
        parent_external_id=text("ParentRef", "value"),
        bill_with_parent=entry.says("BillWithParent", default=False),
        fully_qualified_name=_unmarked(qualified, active) if qualified else None,
    )


def _contact(entry: Entry, methods: list[dict[str, Any]]) -> ContactRecord | None:
    first = entry.attempt("GivenName", values.optional_line, entry.text("GivenName"), longest=_LONGEST_PERSON_NAME)
    last = entry.attempt("FamilyName", values.optional_line, entry.text("FamilyName"), longest=_LONGEST_PERSON_NAME)
    return ContactRecord(first, last, methods) if first or last or methods else None
