"""Passwords: hashing beside the event loop, verifying at equal cost, and what is refused as a new password."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models.fault import ErrorCode, Fault
from services import passwords

FIELD = ("input", "password")
GOOD = "seven lamps of quiet basalt"
# Every character that zxcvbn reads as a letter, and its worst case when it was given more of them at once.
LEET = "4@8({[<369!1|05$7+%2"


def check(password: str, field: tuple[str | int, ...] = FIELD, context: Sequence[str] = ()) -> str:
    return asyncio.run(passwords.check_new_password(password, field, context=context))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def password_hasher() -> None:
    """The product's own, at its real cost."""


@pytest.mark.anyio
async def test_a_hash_verifies_its_password_only_and_has_the_stated_parameters() -> None:
    stored = await passwords.hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert await passwords.verify_password(stored, GOOD)
    assert not await passwords.verify_password(stored, GOOD + " ")
    assert stored != await passwords.hash_password(GOOD)
    assert not passwords.needs_rehash(stored)


@pytest.mark.anyio
async def test_a_password_typed_in_another_unicode_form_is_the_same_password() -> None:
    stored = await passwords.hash_password("cafe\u0301 und Straße ﬁn")
    assert await passwords.verify_password(stored, "caf\u00e9 und Straße fin")


@pytest.mark.anyio
@pytest.mark.parametrize("stored", [None, "", "!", "plain text"])
async def test_without_a_usable_stored_hash_nothing_verifies(stored: str | None) -> None:
    assert not await passwords.verify_password(stored, GOOD)
    assert not await passwords.verify_password(stored, "")


@pytest.mark.anyio
@pytest.mark.parametrize("password", ["x" * 129, "x" * 1_000_000, "\ud800" + GOOD, "ﷺ" * 100])
async def test_an_unusable_input_neither_verifies_nor_hashes(password: str) -> None:
    assert not await passwords.verify_password(await passwords.hash_password(GOOD), password)
    with pytest.raises(ValueError, match="cannot be hashed"):
        await passwords.hash_password(password)


class Watched(PasswordHasher):
    """Notes what is hashed and how many hashes run at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=47_104, parallelism=1)
        self.verified: list[tuple[Parameters, int]] = []
        self.running = self.most = 0
        self.lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.02)
        with self.lock:
            self.running -= 1
        return "done"

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 — the name is argon2's
        self.verified.append((extract_parameters(str(hash)), len(password)))
        return super().verify(hash, password)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(passwords, "_hasher", watched)
    return watched


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("known", "password"),
    [(True, "wrong"), (False, "wrong"), (True, "x" * 1_000_000), (True, "ﷺ" * 500), (False, "\ud800")],
)
async def test_every_failed_sign_in_costs_one_hash_of_a_short_input(
    watched: Watched, known: bool, password: str
) -> None:
    stored = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1).hash(GOOD) if known else None
    assert not await passwords.verify_password(stored, password)
    [(parameters, length)] = watched.verified
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (47_104, 1, 1)
    assert length <= 4 * passwords.LONGEST


@pytest.mark.anyio
async def test_an_unreadable_stored_hash_costs_one_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    dummy = passwords._dummy_hash

    def noted() -> str:
        made.append("dummy")
        return dummy()

    monkeypatch.setattr(passwords, "_dummy_hash", noted)
    assert not await passwords.verify_password("!", "wrong")
    assert made == ["dummy"]


def test_at_most_two_hashes_run_at_once_also_from_several_event_loops(watched: Watched) -> None:
    async def many() -> None:
        await asyncio.gather(*(passwords.hash_password(GOOD) for _ in range(5)))

    loops = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(2)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert watched.most == 2


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    hashing = asyncio.create_task(passwords.hash_password(GOOD))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert await hashing


def test_a_hash_with_other_parameters_or_no_hash_at_all_needs_a_new_one() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    assert passwords.needs_rehash(weak)
    assert passwords.needs_rehash("plain text")


def test_the_hash_that_stands_in_for_unknown_accounts_costs_what_real_ones_cost() -> None:
    dummy = passwords._dummy_hash()
    assert extract_parameters(dummy) == extract_parameters(passwords._hasher.hash(GOOD))
    assert not passwords.needs_rehash(dummy)


@pytest.mark.parametrize(
    "password",
    [
        *(
            GOOD,
            "correct horse battery staple",
            "mountainrivertree",
            "all lower case words suffice",
            "1968 2750 3841 9926",
        ),
        *(
            "Üble Gänse fliegen tief",
            "静かな湖に月が沈むまで歩こうよ",
            "n7#Vq!zR2p@Lw9&",
            GOOD * 4,
            "x9-" + "k2v!" * 31,
        ),
    ],
)
def test_a_long_uncommon_password_is_accepted_without_composition_rules(password: str) -> None:
    assert check(password, FIELD) == password


@pytest.mark.parametrize(
    "password",
    [
        *(
            "passwordpassword",
            "password1234567",
            "Password2024!!!",
            "P@ssw0rdP@ssw0rd",
            "!!!!!!password!!!!!!",
            "passwordpasswordpas",
        ),
        *(
            "aaaaaaaaaaaaaaa",
            "123456789012345",
            "abcdefghijklmnop",
            "qwertyuiopasdfgh",
            "12341234abcdabcd",
            "iloveyou iloveyou",
        ),
        *("a" * 128, "password" * 16, "1q2w3e4r5t6y7u8i", "               "),
    ],
)
def test_a_common_password_is_refused_also_repeated_or_padded(password: str) -> None:
    with pytest.raises(Fault, match="guessed among the first") as caught:
        check(password, FIELD)
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.field == FIELD
    assert password not in caught.value.message


@pytest.mark.parametrize("common", FREQUENCY_LISTS["passwords"][:2000:67])
def test_passwords_of_the_list_are_refused_in_every_dress(common: str) -> None:
    times = passwords.SHORTEST // len(common) + 1
    for dressed in (common * times, common + "1234567890123", "!" * 15 + common):
        with pytest.raises(Fault):
            check(dressed, FIELD)


@pytest.mark.parametrize(
    "password",
    [
        *(
            "counterfoil12345",
            "Counterfoil-Counterfoil",
            "jane.doe@example.com",
            "JaneDoeJaneDoeJane",
            "doe jane example 77",
        ),
        *("counterfoilpassword", "Doe_Counterfoil_2024"),
    ],
)
def test_a_password_made_of_the_owner_and_the_product_is_refused(password: str) -> None:
    with pytest.raises(Fault):
        check(password, FIELD, context=["jane.doe@example.com", "Jane Doe"])


def test_a_password_may_mention_its_owner_among_other_things() -> None:
    password = "jane keeps nine velvet owls"
    assert check(password, FIELD, context=["jane@example.com", "", "J"]) == password


@pytest.mark.parametrize(
    ("password", "advice"),
    [
        ("", "at least 15"),
        ("n7#Vq!zR2p@Lw9", "at least 15"),
        ("ﷺ", "at least 15"),
        ("e\u0301" * 14, "at least 15"),
        (GOOD * 5, "at most 128"),
        ("x" * 100_000, "at most 128"),
        (GOOD + "\x00", "control characters"),
        (GOOD + "\ud800", "control characters"),
    ],
)
def test_a_password_of_the_wrong_length_or_with_control_characters_is_refused(password: str, advice: str) -> None:
    with pytest.raises(Fault, match=advice) as caught:
        check(password, FIELD)
    assert caught.value.field == FIELD


def test_length_counts_code_points_not_bytes() -> None:
    assert check("日月火水木金土山川田人口車門雨", FIELD)
    with pytest.raises(Fault, match="at least 15"):
        check("日月火水木金土山川田人口車門", FIELD)


@given(
    password=st.text(st.characters(codec=None, exclude_categories=()), min_size=10, max_size=40),
    context=st.lists(st.text(max_size=8), max_size=2),
)
def test_nothing_but_a_fault_comes_out_and_an_accepted_password_stays_accepted(
    password: str, context: list[str]
) -> None:
    try:
        accepted = check(password, FIELD, context=context)
    except Fault:
        return
    assert check(accepted, FIELD, context=context) == accepted


def test_generated_passwords_are_readable_differ_and_may_be_used() -> None:
    generated = {passwords.generate_password() for _ in range(50)}
    assert len(generated) == 50
    for password in generated:
        assert re.fullmatch(r"[a-km-np-z2-9]{5}(-[a-km-np-z2-9]{5}){3}", password)
        assert check(password, FIELD) == password


def seconds(password: str, context: Sequence[str] = ()) -> float:
    """What checking costs of a processor."""
    begun = time.thread_time()
    passwords._refusal(password, context)
    return time.thread_time() - begun


@pytest.mark.parametrize("password", [LEET * 6 + "abcdefgh", LEET, "1q2w3e4r5t6y7u8i" * 8, "4@8({3" * 21, "a" * 128])
def test_checking_takes_no_time_to_speak_of(password: str) -> None:
    assert seconds(password, ["jane.doe@example.com", "Jane Doe"]) < 0.2


@settings(max_examples=50, deadline=None)
@given(letters=st.text(LEET + "abcegilostxz", min_size=2, max_size=25), data=st.data())
def test_no_alphabet_makes_checking_expensive(letters: str, data: st.DataObject) -> None:
    password = data.draw(st.text(st.sampled_from(letters), min_size=passwords.LONGEST, max_size=passwords.LONGEST))
    assert seconds(password) < 0.2


def test_the_event_loop_goes_on_while_a_password_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def noted(*_: object) -> None:
        threads.append(threading.current_thread().name)

    monkeypatch.setattr(passwords, "_refusal", noted)
    check(GOOD)
    assert threads[0].startswith("password")


@pytest.mark.parametrize("password", [LEET, "$7+%2{[<36!1|05@4x9", "R7+%2{[<36!1|0)5@4x9" * 5])
def test_a_password_of_many_signs_is_accepted(password: str) -> None:
    assert check(password) == password
