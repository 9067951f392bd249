"""What may happen to customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit import Change
from models import Customer, CustomerKind, Fault, Forbidden, Permission, Row
from models.hierarchy import with_ancestors
from services import contacts, values
from services.origin import refuse_delivered

# What an accounting system delivers, and is therefore read-only here while the customer is synced.
DELIVERED = frozenset(
    {
        "name",
        "kind",
        "methods",
        "website",
        "billing_address",
        "shipping_address",
        "payment_terms",
        "currency",
        "active",
    }
)

# What nobody but an accounting system says; no input of the API has it.
_SAID_BY_SYSTEMS = ("origin_system", "origin_external_id", "accounting")

# The lock under which parents change.
HIERARCHY = "customer-hierarchy"
_LONGEST_NAME = 200
# QuickBooks Online's own limit.
_LONGEST_SYNCED_NAME = 500


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Add a customer from its fields; `email` and `phone` are shorthands for preferred contact methods."""
    fields = clean({"kind": CustomerKind.COMPANY, **given}, None)
    fields.setdefault("methods", [])
    if given.get("parent_id") is not None:
        # Nobody is below a new customer: there can be no circle.
        fields["parent_id"] = (await change.refer(Customer, given["parent_id"], ("parent_id",)))["id"]
    return await change.insert(Customer, {"active": True, **fields})


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Change the given fields. Null clears, absence leaves.

    To be inactive is a mark by which lists are filtered: everything else of the customer can still be changed.
    """
    if given.get("parent_id") is not None:
        await change.lock(HIERARCHY)
    row = await change.get(Customer, identifier, expected_revision)
    fields = clean(given, row)
    if "parent_id" in given:
        fields["parent_id"] = await _parent(change, row, given["parent_id"])
    refuse_delivered(change, row, fields, DELIVERED, given)
    return await change.update(Customer, row, fields)


async def _parent(change: Change, row: Row, parent_id: str | None) -> str | None:
    """The parent, not below the customer itself. The lock on the hierarchy is taken: two moves make a circle, too."""
    if parent_id is None or parent_id == row["parent_id"]:
        return parent_id
    if parent_id == row["id"]:
        raise Fault.invalid("A customer cannot be its own parent.", "parent_id")
    parent = await change.refer(Customer, parent_id, ("parent_id",))
    if row["id"] in await with_ancestors(parent_id):
        below, above = named(change, parent, "This one"), named(change, row, "the customer")
        message = f"{below} stands below {above} and cannot be its parent: give it another parent first."
        raise Fault.invalid(message, "parent_id")
    return parent_id


def named(change: Change, row: Row, otherwise: str) -> str:
    """The customer's name for a message; `otherwise` for those who may not read customers."""
    return str(row["name"]) if change.actor.may(Permission.CUSTOMERS_READ) else otherwise


async def convert_to_contact(
    change: Change, identifier: str, method_ids: Sequence[str], given: Mapping[str, Any], *, keep: bool
) -> tuple[Row, Row]:
    """Make a contact of some of the customer's contact methods: (customer, contact). Without `keep` they move."""
    if not keep and not change.actor.may(Permission.CUSTOMERS_WRITE):
        raise Forbidden("To take contact methods from the customer needs CUSTOMERS_WRITE; with keep they stay there.")
    row = await change.get(Customer, identifier, field=("customer_id",))
    by_id = {method["id"]: method for method in row["methods"]}
    if not method_ids:
        raise Fault.invalid("Name at least one contact method of the customer.", "method_ids")
    for index, method_id in enumerate(method_ids):
        if method_id not in by_id:
            raise Fault.invalid("The customer has no contact method with this ID.", "method_ids", index)
    moved = [{**by_id[method_id], "preferred": None} for method_id in dict.fromkeys(method_ids)]
    if keep:
        moved = [{name: value for name, value in method.items() if name != "id"} for method in moved]
    else:
        left = [method for method in row["methods"] if method["id"] not in set(method_ids)]
        fields = {"methods": values.methods(left, ("method_ids",))}
        refuse_delivered(change, row, fields, DELIVERED, {"method_ids": method_ids})
        row = await change.update(Customer, row, fields)
    contact = await contacts.create(change, {**given, "customer_id": identifier, "methods": moved})
    return row, contact


def clean(given: Mapping[str, Any], row: Row | None) -> dict[str, Any]:
    """Column values from input fields, checked. `row` is the customer as it is, None for a new one."""
    fields: dict[str, Any] = {}
    if "name" in given or row is None:
        synced = (row or given).get("origin_system") is not None
        longest = _LONGEST_SYNCED_NAME if synced else _LONGEST_NAME
        fields["name"] = values.line(_required(given.get("name"), "name"), ("name",), longest=longest)
    if "kind" in given:
        fields["kind"] = _required(given["kind"], "kind").value
    if "website" in given:
        website = values.optional_line(given["website"], ("website",), longest=2000)
        fields["website"] = None if website is None else values.url(website, ("website",))
    fields.update(_payment(given))
    for name in ("billing_address", "shipping_address"):
        if name in given:
            fields[name] = None if given[name] is None else values.address(given[name], (name,))
    country = ((fields.get("billing_address") or (row or {}).get("billing_address")) or {}).get("country") or "US"
    fields.update(_methods(given, row, country))
    if "tax_id" in given:
        fields["tax_id"] = values.optional_line(given["tax_id"], ("tax_id",), longest=50)
    if "active" in given:
        fields["active"] = _required(given["active"], "active")
    fields.update({name: given[name] for name in _SAID_BY_SYSTEMS if name in given})
    return fields


def _payment(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "payment_responsibility" in given:
        fields["payment_responsibility"] = _required(given["payment_responsibility"], "payment_responsibility").value
    if "payment_terms" in given:
        fields["payment_terms"] = values.optional_line(given["payment_terms"], ("payment_terms",))
    if "currency" in given:
        code = values.optional_line(given["currency"], ("currency",))
        fields["currency"] = None if code is None else values.currency(code, ("currency",))
    return fields


def _methods(given: Mapping[str, Any], row: Row | None, country: str) -> dict[str, Any]:
    shorthands = [(name, kind) for name, kind in (("email", "EMAIL"), ("phone", "PHONE")) if name in given]
    if "methods" in given:
        if shorthands:
            raise Fault.invalid("Give methods, or email and phone, not both.", "methods")
        known = row["methods"] if row else []
        return {"methods": values.methods(given["methods"] or [], ("methods",), country=country, known=known)}
    if not shorthands:
        return {}
    methods: list[dict[str, Any]] = list(row["methods"]) if row else []
    for name, kind in shorthands:
        value = values.optional_line(given[name], (name,))
        cleaned = None if value is None else _shorthand(name, value, country)
        methods = _with_preferred(methods, kind, cleaned)
    return {"methods": values.methods(methods, ("methods",), country=country)}


def _shorthand(name: str, value: str, country: str) -> str:
    return values.email(value, (name,)) if name == "email" else values.phone(value, (name,), country=country)


def _with_preferred(methods: list[dict[str, Any]], kind: str, value: str | None) -> list[dict[str, Any]]:
    """The methods with `value` as the preferred one of its kind: in place of the earlier one, or without it."""
    if value is None:
        return [method for method in methods if not (method["kind"] == kind and method["preferred"])]
    same = values.identity(kind, value)
    there = any(values.identity(method["kind"], method["value"]) == same for method in methods)
    result = []
    for method in methods:
        if method["kind"] != kind:
            result.append(method)
        elif values.identity(kind, method["value"]) == same:
            result.append({**method, "preferred": True})
        elif not method["preferred"]:
            result.append(method)
        elif there:
            result.append({**method, "preferred": False})
        else:
            result.append({**method, "value": value})
            there = True
    if not there:
        result.append({"kind": kind, "value": value, "label": None, "preferred": True})
    return result


def _required(value: Any, name: str) -> Any:
    if value is None:
        raise Fault.invalid(f"{name.replace('_', ' ').capitalize()} is required: it cannot be null.", name)
    return value
