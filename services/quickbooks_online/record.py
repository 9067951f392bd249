"""What a customer of QuickBooks Online is in our words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict


class Facts(TypedDict):
    """What QuickBooks says and Counterfoil keeps for later; ids are QuickBooks' own, as text."""

    payment_terms_id: str | None
    payment_terms_name: str | None
    currency: str | None
    parent_external_id: str | None
    bill_with_parent: bool
    fully_qualified_name: str | None


@dataclass(frozen=True)
class ContactRecord:
    """The person of a customer, its Company Contact. Any name may be missing; `methods` are those of the customer."""

    first_name: str | None
    last_name: str | None
    methods: list[dict[str, Any]]


@dataclass(frozen=True)
class CustomerRecord:
    """One customer: values are clean, addresses as `values.address` returns them, methods as it takes them, no ids."""

    external_id: str
    name: str
    kind: Literal["COMPANY", "PERSON"]
    active: bool
    methods: list[dict[str, Any]]
    website: str | None
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    facts: Facts
    contact: ContactRecord | None


@dataclass(frozen=True)
class Problem:
    """What could not be taken over, and why. `field` is QuickBooks' name for it; None concerns the whole record."""

    external_id: str | None
    reason: str
    field: str | None = None
