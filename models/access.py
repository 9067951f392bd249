"""How people and machines get in: API keys (audited), sessions, throttles and signing keys (operational)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Boolean, Integer, Text, Timestamptz
from piccolo.table import Table

from models import text
from models.table import Audited, Json, Row, SubjectType, reference
from models.user import User


class ApiKey(Audited, tablename="api_key"):
    """A machine's way in: some permissions, until it expires or is revoked. Only a digest of it is stored."""

    prefix = "key"
    subject = SubjectType.API_KEY
    derived = frozenset({"name_key"})
    secret = frozenset({"token_hash"})

    name = Text()
    name_key = Text()
    created_by = reference(User, null=False)
    permissions = Json()
    token_hash = Text()
    expires_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key to sort by."""
        return {"name_key": text.key(row["name"])}


class Session(Table, tablename="session"):
    """A signed-in user. The row goes when the user signs out; the events stay."""

    id = Text(primary_key=True)
    user_id = reference(User, null=False)
    token_hash = Text()
    created_at = Timestamptz()
    last_used_at = Timestamptz()
    expires_at = Timestamptz()


class Throttle(Table, tablename="throttle"):
    """Failures of one account in a row, and until when it waits. `announced`: this wait is in history."""

    key = Text(primary_key=True)
    failures = Integer()
    blocked_until = Timestamptz()
    announced = Boolean()


class IdempotencyKey(Table, tablename="idempotency_key"):
    """What a mutation with an Idempotency-Key answered; `id` is made of actor, key and response path."""

    id = Text(primary_key=True)
    body_hash = Text()
    result = Json()
    created_at = Timestamptz()


class SigningKey(Table, tablename="signing_key"):
    """256 random bits in hexadecimal; `id` says what they sign."""

    id = Text(primary_key=True)
    secret = Text()
    created_at = Timestamptz()
