"""What exists from the start: built-in user roles and well-known contact roles, put there by the product itself."""

from __future__ import annotations

from audit import SYSTEM, Change, Request, transact
from models import ContactRole, DesignationSource, UserRole, WellKnownRole
from services.user_roles import BUILT_IN

_CONTACT_ROLES = {WellKnownRole.COMPANY_CONTACT: "Company Contact", WellKnownRole.PRIMARY_CONTACT: "Primary Contact"}


async def ensure() -> list[int]:
    """Create what is missing and give built-in roles the permissions of this version. The numbers of the events."""
    _, seqs = await transact(SYSTEM, Request.new("Defaults of this version"), _ensure)
    return seqs


async def _ensure(change: Change) -> None:
    await change.lock("defaults")
    for built_in, (name, permissions) in BUILT_IN.items():
        values = [permission.value for permission in permissions]
        rows = await change.where(UserRole, built_in=built_in.value)
        if rows:
            await change.update(UserRole, rows[0], {"permissions": values})
        else:
            await change.insert(UserRole, {"name": name, "built_in": built_in.value, "permissions": values})
    for well_known, name in _CONTACT_ROLES.items():
        if not await change.where(ContactRole, well_known=well_known.value):
            named = {"name": name, "well_known": well_known.value, "designated_by": DesignationSource.DEFAULT.value}
            await change.insert(ContactRole, {**named, "invoice_presentment": False, "communication": False})
