"""Input values, cleaned and checked before anything is stored.

Each function takes a value and its field path and returns the form that is stored, or raises `Fault` INVALID at that
path with a message that says what to do. Cleaning a cleaned value changes nothing.
"""

from __future__ import annotations

from models.contact_method import METHOD_LIMIT, preferred
from services.values.company import company
from services.values.contact import email, phone, url
from services.values.currency import currency
from services.values.method import clean, identity, methods
from services.values.money import amount, tradable
from services.values.percentage import percentage
from services.values.place import address, country
from services.values.text import body, line, optional_line

__all__ = [
    "METHOD_LIMIT",
    "address",
    "amount",
    "body",
    "clean",
    "company",
    "country",
    "currency",
    "email",
    "identity",
    "line",
    "methods",
    "optional_line",
    "percentage",
    "phone",
    "preferred",
    "tradable",
    "url",
]
