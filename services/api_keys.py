"""What may happen to API keys: made with some of the maker's permissions, revoked, never changed.

A key can never do more than its maker may do now, and nothing while its maker is disabled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from audit import ActorKind, Change
from models import ApiKey, Fault, Forbidden, Permission, Row
from services import tokens, values
from services.users import check_within

LONGEST_LIFE = timedelta(days=366)


async def create(change: Change, given: Mapping[str, Any]) -> tuple[Row, str]:
    """A new key and its token, which is shown once. Without `expires_at` it lives for 366 days, the most it can."""
    if change.actor.kind is not ActorKind.USER:
        # A key that makes keys would never end.
        raise Forbidden("API keys are made by users, not by API keys.")
    wanted = set(given["permissions"])
    permissions = [permission.value for permission in Permission if permission in wanted]
    if not permissions:
        raise Fault.invalid("Name at least one permission.", "permissions")
    check_within(change, permissions)
    expires_at: datetime = given.get("expires_at") or change.now + LONGEST_LIFE
    if not change.now < expires_at <= change.now + LONGEST_LIFE:
        raise Fault.invalid("Expiry must be in the future and at most 366 days away.", "expires_at")
    token = tokens.new_token(tokens.API_KEY_PREFIX)
    row = await change.insert(
        ApiKey,
        {
            "name": values.line(given["name"], ("name",), longest=100),
            "created_by": change.actor.id,
            "permissions": permissions,
            "token_hash": tokens.token_hash(token),
            "expires_at": expires_at,
        },
    )
    return row, token


async def revoke(change: Change, identifier: str, expected_revision: int | None) -> Row:
    """End a key now. Revoking it again changes nothing."""
    row = await change.get(ApiKey, identifier, expected_revision)
    check_within(change, row["permissions"])
    return await change.update(ApiKey, row, {"revoked_at": row["revoked_at"] or change.now})
