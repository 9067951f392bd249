"""Passwords: Argon2id off the event loop, and what a new password must be (NIST SP 800-63B-4, RFC 9106)."""

from __future__ import annotations

import asyncio
import base64
import math
import re
import secrets
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE, relevant_l33t_subtable

from models.fault import Fault

SHORTEST = 15
SHORTEST_SPOKEN = 6
LONGEST = 128
PRODUCT = "counterfoil"

_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
# Two hashes at once bound the memory to 94 MiB, in whatever event loop they are asked for.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")

# Compatibility forms expand or shrink a text; beyond this many code points no form of it is short enough.
_LONGEST_BEFORE_NORMALISATION = 4 * LONGEST
# zxcvbn counts about 10^8 guesses for any three known patterns in a row ("password" + "2024" + "!!!").
_FEW_GUESSES = 2 * 10**8
# zxcvbn tries every reading of leetspeak, and all substrings in each: 128 characters at once took it seconds.
_PART = 32
_MOST_READINGS = 16
_LEAST_BESIDE_CONTEXT = 8
# Letters and digits that are not taken for one another: no l, o, 0, 1.
_READABLE = "abcdefghijkmnpqrstuvwxyz23456789"


async def hash_password(password: str) -> str:
    """The PHC string of a password. ValueError when it is longer than 128 code points or not Unicode text."""
    secret = _secret(password)
    if secret is None:
        raise ValueError(f"a password of more than {LONGEST} characters or with lone surrogates cannot be hashed")
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, secret)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` made `stored`. Without a stored hash, or with an unusable input, False after the same work."""
    secret = _secret(password)
    if stored is None or secret is None:
        stored, secret = _dummy_hash(), b""
    return await asyncio.get_running_loop().run_in_executor(_threads, _matches, stored, secret)


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with other parameters than today's: hash again when the password is at hand."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


async def check_new_password(password: str, field: tuple[str | int, ...], *, context: Sequence[str] = ()) -> str:
    """The password in NFKC when it may be used, else Fault INVALID at `field`; the password is never quoted.

    15 to 128 code points, whatever characters. Refused are common passwords, also repeated, padded or in leetspeak
    (as zxcvbn guesses them), and passwords made of the product's name and of `context`: the owner's email and names.
    """
    normal = _of_right_length(password, field)
    refusal = await asyncio.get_running_loop().run_in_executor(_threads, _refusal, normal, context)
    if refusal is not None:
        raise Fault.invalid(refusal, *field)
    return normal


def check_spoken_password(password: str, field: tuple[str | int, ...]) -> str:
    """A password that is said at a desk, in NFKC, when it may be used, else Fault INVALID at `field`.

    6 to 128 code points, some of them visible; guesses of it are throttled, so it may be simple.
    """
    normal = _of_right_length(password, field, SHORTEST_SPOKEN, "")
    if not normal.strip():
        raise Fault.invalid("Choose a password that can be said: this one is empty.", *field)
    return normal


def generate_password() -> str:
    """A new password of 100 random bits: four groups of five letters and digits, such as `k3v9x-…`."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(5)) for _ in range(4))


def _secret(password: str) -> bytes | None:
    if len(password) > _LONGEST_BEFORE_NORMALISATION:
        return None
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) > LONGEST:
        return None
    try:
        return normal.encode()
    except UnicodeEncodeError:
        return None


def _matches(stored: str, secret: bytes) -> bool:
    try:
        return _hasher.verify(stored, secret)
    except VerifyMismatchError:
        return False
    except InvalidHashError:
        return _matches(_dummy_hash(), b"")


def _dummy_hash() -> str:
    # Its digest is random: nothing was hashed to make it, and nothing is known that matches it.
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def _of_right_length(
    password: str, field: tuple[str | int, ...], shortest: int = SHORTEST, advice: str = ": some words in a row will do"
) -> str:
    if len(password) > _LONGEST_BEFORE_NORMALISATION:
        raise Fault.invalid(f"Choose a password of at most {LONGEST} characters.", *field)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        raise Fault.invalid("Choose a password without control characters or halves of characters.", *field)
    normal = unicodedata.normalize("NFKC", password)
    if min(len(password), len(normal)) < shortest:
        raise Fault.invalid(f"Choose a password of at least {shortest} characters{advice}.", *field)
    if len(normal) > LONGEST:
        raise Fault.invalid(f"Choose a password of at most {LONGEST} characters.", *field)
    return normal


def _refusal(password: str, context: Sequence[str]) -> str | None:
    words = _context_words(context)
    if _is_made_of(password, words):
        return "Choose a password that is not made of your name, your email or this product."
    if _is_soon_guessed(password, words):
        return "Choose another password: this one is a common password or a simple pattern, guessed among the first."
    return None


def _context_words(context: Sequence[str]) -> list[str]:
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in (PRODUCT, *context)]
    words = {part for text in folded for part in (*re.split(r"[\W_]+", text), re.sub(r"[\W_]+", "", text))}
    return sorted((word for word in words if len(word) >= 3), key=len, reverse=True)


def _is_made_of(password: str, words: Sequence[str]) -> bool:
    folded = re.sub(r"[\W_]+", " ", password.casefold())
    rest = re.sub("|".join(re.escape(word) for word in words), " ", folded)
    return rest != folded and len(rest.replace(" ", "")) < _LEAST_BESIDE_CONTEXT


def _is_soon_guessed(password: str, words: Sequence[str]) -> bool:
    parts = [password[start : start + _PART] for start in range(0, len(password), _PART)]
    return all(_guesses(part, words) < _FEW_GUESSES for part in parts)


def _guesses(part: str, words: Sequence[str]) -> float:
    """How many guesses zxcvbn would need, piece by piece where there would be too many readings at once."""
    guesses, start = 1.0, 0
    for end in range(1, len(part) + 1):
        if end == len(part) or _readings(part[start : end + 1]) > _MOST_READINGS:
            guesses *= float(zxcvbn(part[start:end], user_inputs=list(words))["guesses"])
            start = end
    return guesses


def _readings(text: str) -> int:
    return math.prod(map(len, relevant_l33t_subtable(text, L33T_TABLE).values()))
