"""Reading who may use the portal, for many contacts at once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from models import clock
from models.database import current
from models.portal import PortalAccess, PortalReason, portal_access
from models.preferences import PortalAudience
from models.table import Row

_PREFERENCES = ("customer_portal", "online_payments")
_OWN = ", ".join(f"p.{name} AS own_{name}, s.{name}" for name in _PREFERENCES)
_CONTACTS = f"""
SELECT c.id, c.email, c.active, a.active AS customer_active, c.role_id, r.communication, s.portal_access, {_OWN}
FROM contact c JOIN customer a ON a.id = c.customer_id LEFT JOIN contact_role r ON r.id = c.role_id
LEFT JOIN preferences p ON p.customer_id = c.customer_id CROSS JOIN settings s WHERE """

_GONE = PortalAccess((PortalReason.INACTIVE,))


async def portal_accesses(contact_ids: Sequence[str]) -> list[PortalAccess]:
    """A loader: whether each contact may use the portal today (UTC); one that is gone is inactive. One statement."""
    bound = current()
    rows = await bound.fetch(_CONTACTS + bound.member("c.id"), bound.array(list(contact_ids)))
    today = clock.now().date()
    found = {
        row["id"]: portal_access(
            customer={"active": row["customer_active"]},
            contact=row,
            role=None if row["role_id"] is None else row,
            preferences=_effective(row),
            audience=PortalAudience(row["portal_access"]),
            today=today,
        )
        for row in rows
    }
    return [found.get(contact_id, _GONE) for contact_id in contact_ids]


def _effective(row: Row) -> Row:
    values = {name: row[name] if row[f"own_{name}"] is None else row[f"own_{name}"] for name in _PREFERENCES}
    return {**values, "online_payments": json.loads(values["online_payments"])}
