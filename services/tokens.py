"""Tokens: 256 random bits behind a prefix that says what they are; only their digest is stored."""

from __future__ import annotations

import hashlib
import secrets

SESSION_PREFIX = "cfs_"
API_KEY_PREFIX = "cfk_"
PASSWORD_PREFIX = "cfp_"  # noqa: S105 - what such tokens begin with, no token


def new_token(prefix: str) -> str:
    """A new token, to be shown once."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """The hexadecimal SHA-256 under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
