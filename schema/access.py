"""Who may read a field or call a mutation: declared once, in the schema, and checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import strawberry
from strawberry.schema_directive import Location

from audit import Actor
from models import Permission


@strawberry.enum(description="Who may use a field.")
class AccessRule(Enum):
    """Who may use a field."""

    PERMISSION = strawberry.enum_value("PERMISSION", description="Whoever has one of the permissions in `anyOf`.")
    SIGNED_IN = strawberry.enum_value("SIGNED_IN", description="Whoever is signed in.")
    PUBLIC = strawberry.enum_value("PUBLIC", description="Everybody.")
    PARENT = strawberry.enum_value("PARENT", description="Whoever may use the field that leads to the object.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT, Location.INTERFACE],
    description="Who may use the field, or each field of the type that does not say otherwise.",
)
class Access:
    """Who may use a field, or each field of a type that does not say otherwise."""

    rule: AccessRule = strawberry.directive_field(name="rule")
    any_of: list[Permission] = strawberry.directive_field(name="anyOf")


def needs(*any_of: Permission) -> Access:
    """Whoever has one of the permissions."""
    return Access(rule=AccessRule.PERMISSION, any_of=list(any_of))


SIGNED_IN = Access(rule=AccessRule.SIGNED_IN, any_of=[])
PUBLIC = Access(rule=AccessRule.PUBLIC, any_of=[])
PARENT = Access(rule=AccessRule.PARENT, any_of=[])


@dataclass(frozen=True)
class Need:
    """What a field asks of its reader: one of the permissions, or with none just to be signed in."""

    coordinate: str
    any_of: frozenset[Permission]

    def unmet(self, actor: Actor) -> str | None:
        """What to tell an actor who has none of the permissions; None to others."""
        if not self.any_of or actor.may(*self.any_of):
            return None
        names = " or ".join(sorted(permission.value for permission in self.any_of))
        return f"{self.coordinate} needs the permission {names}."
