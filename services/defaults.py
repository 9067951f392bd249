"""What exists from the start: user roles, contact roles, purposes, settings, templates, and the key that signs
downloads.
"""

from __future__ import annotations

from audit import SYSTEM, Change, Request, transact
from models import (
    CommunicationKind,
    ContactPolicy,
    ContactRole,
    DesignationSource,
    Purpose,
    Settings,
    Template,
    UserRole,
    WellKnownPurpose,
    WellKnownRole,
    signing_key,
)
from models.preferences import SETTINGS_ID
from services.templates.standards import standard_of
from services.user_roles import BUILT_IN

_CONTACT_ROLES = {WellKnownRole.COMPANY_CONTACT: "Company Contact", WellKnownRole.PRIMARY_CONTACT: "Primary Contact"}

# Nothing is sent or surcharged before somebody wants it; what customers can do for themselves is open.
_SETTINGS = {
    "monthly_statement": False,
    "online_payments": {"enabled": True, "disabled_until": None},
    "customer_portal": True,
    "card": {"enabled": False, "surcharge_basis_points": 0},
    "ach": {"enabled": True, "discount_basis_points": 0},
    "contact_policy": ContactPolicy.NOT_REQUIRED.value,
}

# With them, whether there is one for each customer and reference.
_PURPOSES = {
    WellKnownPurpose.SERVICE_REQUEST_CALLER: ("Service request caller", False),
    WellKnownPurpose.JOB_PROJECT_MANAGER: ("Job project manager", True),
    WellKnownPurpose.ACCOUNTS_PAYABLE_CONTACT: ("Main accounts payable contact", True),
}


async def ensure() -> list[int]:
    """Create what is missing and give built-in roles the permissions of this version. The numbers of the events."""
    await signing_key.by_names([signing_key.DOWNLOADS])
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
    if not await change.where(Settings, id=SETTINGS_ID):
        await change.insert(Settings, {"id": SETTINGS_ID, **_SETTINGS})
    for purpose, (name, single) in _PURPOSES.items():
        if not await change.where(Purpose, well_known=purpose.value):
            await change.insert(Purpose, {"name": name, "well_known": purpose.value, "single": single})
    standards = {row["kind"] for row in await change.where(Template, standard=True)}
    for kind in CommunicationKind:
        if kind.value not in standards:
            await change.insert(Template, standard_of(kind))
