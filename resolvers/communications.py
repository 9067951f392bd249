"""The communication log: one communication, one delivery, and all that was sent."""

from __future__ import annotations

import strawberry

import models
from models import Permission
from models.communication_lists import COMMUNICATIONS
from resolvers.single import single
from schema.access import needs
from schema.communication import Communication, Delivery
from schema.communication_log import communications
from schema.connection import Connection

_READ = needs(Permission.COMMUNICATIONS_READ)
_UNSEEN = "null when there is none with this ID, or when it tells of sales documents and you may not see those."


@strawberry.type
class CommunicationQuery:
    """Reading what was sent, and what became of it."""

    communication: Communication | None = single(models.Communication, f"One communication; {_UNSEEN}", _READ)
    delivery: Delivery | None = single(models.Delivery, f"One recipient's part of a communication; {_UNSEEN}", _READ)
    communications: Connection[Communication] = communications(
        COMMUNICATIONS, "The whole communication log, newest first."
    )
