"""The first administrator: made by the product when nobody could sign in otherwise."""

from __future__ import annotations

from audit import SYSTEM, Change, Request, transact
from models import BuiltInRole, User, UserRole, people
from services import passwords, users

EMAIL = "admin@example.com"
NAME = "Administrator"


async def ensure() -> str | None:
    """The generated password of a new administrator (EMAIL), to be shown once; None when there are users already."""
    if await people.any_user():
        return None
    password = passwords.generate_password()
    password_hash = await passwords.hash_password(password)

    async def work(change: Change) -> bool:
        await change.lock("first administrator")
        if await change.count(User):
            return False
        [role] = await change.where(UserRole, built_in=BuiltInRole.ADMINISTRATOR.value)
        await users.create(change, {"name": NAME, "email": EMAIL, "role_id": role["id"]}, password_hash)
        return True

    created, _ = await transact(SYSTEM, Request.new("First start on an empty database"), work)
    return password if created else None
