"""Contact methods: the ways in which a customer or a contact is reached, as one list that is stored whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models import identifier, text
from models.contact_method import METHOD_LIMIT, ContactMethodKind
from models.fault import Fault
from services.values.contact import email, phone
from services.values.text import Field, line, optional_line

LONGEST_LABEL = 60


def methods(
    value: Sequence[Mapping[str, Any]],
    field: Field,
    *,
    country: str = "US",
    known: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Contact methods in the given order, each with `id` (`mth_…`), `kind`, `value`, `label` and `preferred`.

    Read are `kind` (the enum or its value), `value` and, optionally, `id`, `label` and `preferred`. Phone numbers
    without a country code are read as those of `country`. One method per kind is preferred: the one that says so,
    else the first. A method without an ID that is among the `known` ones keeps its ID. Fault when a kind has two
    that say so, when two are alike, and beyond 20.
    """
    if len(value) > METHOD_LIMIT:
        raise Fault.invalid(f"Use at most {METHOD_LIMIT} contact methods.", *field)
    cleaned: list[dict[str, Any]] = []
    for number, given in enumerate(value):
        method = _method(given, (*field, number), country, known)
        _refuse_second(method, cleaned, (*field, number))
        cleaned.append(method)
    _prefer_first(cleaned)
    return cleaned


def identity(kind: str, value: str) -> tuple[str, str]:
    """What makes two methods of one owner the same: kind and value, whatever the case."""
    return kind, text.key(value)


def clean(kind: ContactMethodKind, value: str, field: Field, *, country: str = "US") -> str:
    """The stored form of one method's value, by its kind."""
    match kind:
        case ContactMethodKind.EMAIL:
            return email(value, field)
        case ContactMethodKind.PHONE | ContactMethodKind.MOBILE | ContactMethodKind.FAX:
            return phone(value, field, country=country)
        case ContactMethodKind.OTHER:
            return line(value, field)


def _method(given: Mapping[str, Any], field: Field, country: str, known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kind = _kind(given.get("kind"), (*field, "kind"))
    value = clean(kind, given.get("value") or "", (*field, "value"), country=country)
    return {
        "id": _id(given.get("id"), kind.value, value, field, known),
        "kind": kind.value,
        "value": value,
        "label": optional_line(given.get("label"), (*field, "label"), longest=LONGEST_LABEL),
        "preferred": bool(given.get("preferred")),
    }


def _id(given: str | None, kind: str, value: str, field: Field, known: Sequence[Mapping[str, Any]]) -> str:
    if given is not None:
        return identifier.check_id(given, "mth", *field, "id")
    same = identity(kind, value)
    ids = (str(method["id"]) for method in known if identity(method["kind"], method["value"]) == same)
    return next(ids, None) or identifier.new_id("mth")


def _kind(given: object, field: Field) -> ContactMethodKind:
    try:
        return given if isinstance(given, ContactMethodKind) else ContactMethodKind(given)
    except ValueError:
        known = ", ".join(kind.value for kind in ContactMethodKind)
        raise Fault.invalid(f"Choose one of these kinds: {known}.", *field) from None


def _refuse_second(method: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], field: Field) -> None:
    for other in earlier:
        if other["id"] == method["id"]:
            raise Fault.invalid("Leave this ID out: another contact method in the list has it.", *field, "id")
        if other["kind"] != method["kind"]:
            continue
        if identity(other["kind"], other["value"]) == identity(method["kind"], method["value"]):
            raise Fault.invalid("Remove this contact method: it is in the list already.", *field, "value")
        if other["preferred"] and method["preferred"]:
            raise Fault.invalid("Prefer only one contact method of each kind.", *field, "preferred")


def _prefer_first(cleaned: Sequence[dict[str, Any]]) -> None:
    settled = {method["kind"] for method in cleaned if method["preferred"]}
    for method in cleaned:
        if method["kind"] not in settled:
            method["preferred"] = True
            settled.add(method["kind"])
