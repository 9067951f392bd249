"""Users as the start and the command line ask for them: is there one, who are they all."""

from __future__ import annotations

from models.database import current
from models.table import Row
from models.user import BuiltInRole

_ALL = """
SELECT u.id, u.name, u.email, u.active, u.password_hash IS NOT NULL AS can_sign_in, r.name AS role
FROM "user" u LEFT JOIN user_role r ON r.id = u.role_id ORDER BY u.name_key, u.id"""

_ADMINISTRATORS = """
SELECT count(*) AS number FROM "user" u JOIN user_role r ON r.id = u.role_id
WHERE u.active AND u.password_hash IS NOT NULL AND r.built_in = ?"""


async def every_user() -> list[Row]:
    """id, name, email, active, can_sign_in (a password is set) and the role's name, sorted by name."""
    rows = await current().fetch(_ALL)
    return [{**row, "can_sign_in": bool(row["can_sign_in"])} for row in rows]


async def any_user() -> bool:
    """Whether there is a user at all."""
    return bool(await current().fetch('SELECT 1 AS one FROM "user" LIMIT 1'))


async def administrators() -> int:
    """How many active users with a password have the role of administrator."""
    return int((await current().fetch(_ADMINISTRATORS, BuiltInRole.ADMINISTRATOR.value))[0]["number"])
