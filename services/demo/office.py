"""The users of the demo: one or more for each built-in role, and the ways in which they act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from audit import SYSTEM, Action, Actor, ActorKind, Change, Request, transact
from models import BuiltInRole, Row, User, UserRole
from models.identifier import new_id
from services import users
from services.demo.fiction import slug
from services.user_roles import BUILT_IN

T = TypeVar("T")

_STAFF = (
    ("Grace Okafor", BuiltInRole.ADMINISTRATOR),
    ("Martin Weber", BuiltInRole.AR_MANAGER),
    ("Priya Nair", BuiltInRole.AR_CLERK),
    ("Tom Hughes", BuiltInRole.AR_CLERK),
    ("Lucía Romero", BuiltInRole.LOCATION_CONTACT_EDITOR),
    ("Ben Carter", BuiltInRole.ORDER_DESK),
    ("Ingrid Dahl", BuiltInRole.AUDITOR),
)


@dataclass(frozen=True)
class Member:
    """A user who acts."""

    actor: Actor
    email: str
    role: BuiltInRole
    address: str

    async def act(self, work: Callable[[Change], Awaitable[T]], reason: str | None = None) -> T:
        """Do `work` in one recorded transaction."""
        result, _ = await transact(self.actor, Request(new_id("req"), self.address, reason), work)
        return result

    async def sign_in(self) -> None:
        """Leave what signing in leaves in history; a session would be over long ago."""
        await self.act(self._mentioning(Action.USER_SIGNED_IN))

    async def mistype_password(self) -> None:
        """Leave what a failed attempt leaves."""
        request = Request(new_id("req"), self.address)
        await transact(SYSTEM, request, self._mentioning(Action.USER_SIGN_IN_FAILED))

    def _mentioning(self, action: Action) -> Callable[[Change], Awaitable[None]]:
        async def work(change: Change) -> None:
            change.mention(User, await change.get(User, str(self.actor.id)), action)

        return work


class Office:
    """All members; those who may do something are found by role."""

    def __init__(self, members: Sequence[Member], random: Random) -> None:
        self.members = members
        self._random = random

    def one_of(self, *roles: BuiltInRole) -> Member:
        """Somebody with one of the roles."""
        return self._random.choice([member for member in self.members if member.role in roles])


async def staff(random: Random, password_hash: str) -> Office:
    """Create the users, who all have one password: the administrator first, and by the administrator the others."""

    async def employ(change: Change, people: Sequence[tuple[str, BuiltInRole]]) -> list[Row]:
        rows = []
        for name, role in people:
            [role_row] = await change.where(UserRole, built_in=role.value)
            given = {"name": name, "email": _email(name), "role_id": role_row["id"]}
            rows.append(await users.create(change, given, password_hash))
        return rows

    first, _ = await transact(SYSTEM, Request.new("Command line"), lambda change: employ(change, _STAFF[:1]))
    administrator = _member(first[0], _STAFF[0][1], 0)
    others = await administrator.act(lambda change: employ(change, _STAFF[1:]))
    rows = zip(others, _STAFF[1:], strict=True)
    members = [_member(row, role, number) for number, (row, (_, role)) in enumerate(rows, start=1)]
    return Office([administrator, *members], random)


def _member(row: Row, role: BuiltInRole, number: int) -> Member:
    actor = Actor(ActorKind.USER, row["id"], row["name"], frozenset(BUILT_IN[role][1]))
    # From the range that RFC 5737 keeps for documentation.
    return Member(actor, row["email"], role, f"198.51.100.{20 + number}")


def _email(name: str) -> str:
    return f"{slug(name.partition(' ')[0])}@example.com"
