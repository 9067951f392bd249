"""Who did something, and who is looking."""

from __future__ import annotations

import strawberry

from audit import ActorKind
from models import Permission
from schema.access import PARENT, PUBLIC
from schema.field import derived, plain
from schema.user import User


@strawberry.type(description="Who did something.", directives=[PUBLIC])
class Actor:
    """Who did something."""

    kind: ActorKind = plain("What kind of actor.")
    id: strawberry.ID | None = plain("The actor's ID; null for the product itself and for direct database access.")
    name: str = plain("As it was then.")


@strawberry.type(description="Who sends this request.", directives=[PARENT])
class Viewer:
    """Who sends this request."""

    actor: Actor = plain("As history would name them.")
    user: User | None = plain("Null for API keys and contacts.")
    permissions: list[Permission] = derived(
        lambda viewer: [permission for permission in Permission if permission in viewer["actor"]["permissions"]],
        "What they may do.",
    )
