"""Companies: who writes, as letters and emails name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.values.contact import email, phone
from services.values.place import address
from services.values.text import Field, body, line

LONGEST_INSTRUCTIONS = 2_000


def company(value: Mapping[str, Any], field: Field) -> dict[str, Any]:
    """A company: `name`, and each text or None `address`, `email`, `phone`, `tax_id` and `payment_instructions`.

    The same keys are read; all but the name may be missing, None or blank. Phone numbers without a country code are
    read as those of the address's country.
    """
    given = value.get("address")
    place = None if given is None else address(given, (*field, "address"))
    country = (place or {}).get("country") or "US"

    def optional(name: str, clean: Callable[[str, Field], str]) -> str | None:
        written = value.get(name)
        return clean(written, (*field, name)) if written and not written.isspace() else None

    return {
        "name": line(value["name"], (*field, "name")),
        "address": place,
        "email": optional("email", email),
        "phone": optional("phone", lambda text, at: phone(text, at, country=country)),
        "tax_id": optional("tax_id", lambda text, at: line(text, at, longest=50)),
        "payment_instructions": optional(
            "payment_instructions", lambda text, at: body(text, at, longest=LONGEST_INSTRUCTIONS)
        ),
    }
