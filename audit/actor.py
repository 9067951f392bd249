"""Who acts, and in which request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from models.identifier import new_id
from models.user import Permission


class ActorKind(Enum):
    """What kind of actor did something. DATABASE: somebody forced it past the product, and it was found later."""

    USER = "USER"
    CONTACT = "CONTACT"
    ACCOUNTING = "ACCOUNTING"
    SYSTEM = "SYSTEM"
    DATABASE = "DATABASE"


@dataclass(frozen=True)
class Actor:
    """Who acts; `name` is kept in the event as it is now. An API key is a SYSTEM actor with the key's id.

    `permissions` is None for those whom permissions do not bind: the product itself and accounting systems.
    """

    kind: ActorKind
    id: str | None
    name: str
    permissions: frozenset[Permission] | None = None

    def may(self, *any_of: Permission) -> bool:
        """Whether this actor has one of the permissions."""
        return self.permissions is None or not self.permissions.isdisjoint(any_of)


SYSTEM = Actor(ActorKind.SYSTEM, None, "Counterfoil")
DATABASE = Actor(ActorKind.DATABASE, None, "Direct database access")


@dataclass(frozen=True)
class Request:
    """Where a change comes from: the request's id, the client's address if there is one, and a reason if given."""

    id: str
    client_address: str | None = None
    reason: str | None = None

    @classmethod
    def new(cls, reason: str | None = None) -> Request:
        """A request that begins here: a command, a worker."""
        return cls(new_id("req"), None, reason)
