"""The two levels of contacts: some users may maintain location contacts only."""

from __future__ import annotations

from audit import Change
from models import Forbidden, Permission


def check_may_write(change: Change, location_id: str | None) -> None:
    """Forbidden unless the actor may maintain a contact of this level."""
    allowed = {Permission.CONTACTS_WRITE} | ({Permission.LOCATION_CONTACTS_WRITE} if location_id else set())
    if not change.actor.may(*allowed):
        raise Forbidden("You may maintain location contacts only: this is a customer contact (CONTACTS_WRITE).")
