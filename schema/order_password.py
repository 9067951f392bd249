"""Order passwords of contacts: whether there is one, since when and by whom. Never more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.access import PARENT
from schema.field import derived
from schema.stored import stored_json

if TYPE_CHECKING:
    from schema.actor import Actor


@strawberry.type(
    description="That a contact has an order password. It is kept as a hash and can never be viewed.",
    directives=[PARENT],
)
class OrderPassword:
    """That a contact has an order password."""

    set_at: datetime = derived(lambda row: row["order_password_set_at"], "When it was set.")
    set_by: Annotated[Actor, strawberry.lazy("schema.actor")] = derived(
        lambda row: stored_json(row["order_password_set_by"]), "Who set it, as they were called then."
    )
