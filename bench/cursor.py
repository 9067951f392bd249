"""The product's cursors, made by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from audit.history import CUSTOMER_HISTORY, HISTORY
from models.listing import request_page
from models.listings import CONTACTS, CONTACTS_OF_CUSTOMER, CUSTOMERS, customer_conditions
from models.search import matches

_CUSTOMERS = request_page(CUSTOMERS, order="NAME", descending=False, conditions=customer_conditions({})).signature
_CONTACTS_OF_CUSTOMER = request_page(CONTACTS_OF_CUSTOMER).signature
_HISTORY = request_page(HISTORY).signature
_CUSTOMER_HISTORY = request_page(CUSTOMER_HISTORY).signature


def of_customer(row: Mapping[str, Any]) -> str:
    """Where a customer stands in the list by name."""
    return _encode(_CUSTOMERS, row["name_key"], row["id"])


def of_contact(row: Mapping[str, Any]) -> str:
    """Where a contact stands among those of its customer, by name."""
    return _encode(_CONTACTS_OF_CUSTOMER, row["name_key"], row["id"])


def of_found_contact(signature: str, row: Mapping[str, Any]) -> str:
    """Where a contact stands in what a search found, by name; `signature` is that of the search."""
    return _encode(signature, row["name_key"], row["id"])


def search_signature(search: str) -> str:
    """The signature of the list that a search for contacts finds."""
    searched = matches(search)
    return request_page(CONTACTS, conditions=() if searched is None else (searched,)).signature


def of_event(row: Mapping[str, Any], *, of_customer: bool = False) -> str:
    """Where an event stands in the whole history, or in that of its customer."""
    return _encode(_CUSTOMER_HISTORY if of_customer else _HISTORY, row["seq"])


def read(text: str) -> list[Any]:
    """The sort keys in a cursor."""
    values: list[Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return values[1:]


def _encode(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
