"""The history: the recorder that is the only writer, its events, and the reads over them."""

from __future__ import annotations

from audit.action import Action, Category
from audit.actor import DATABASE, SYSTEM, Actor, ActorKind, Request
from audit.change import Change
from audit.recorder import record, transact

__all__ = [
    "DATABASE",
    "SYSTEM",
    "Action",
    "Actor",
    "ActorKind",
    "Category",
    "Change",
    "Request",
    "record",
    "transact",
]
