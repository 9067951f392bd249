"""Templates: what emails of a kind say."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models import CommunicationKind, Permission
from schema.access import needs
from schema.field import plain
from schema.history import updated_at
from schema.node import Node


@strawberry.type(
    description="What emails of a kind say: a template for each of their parts, in Jinja.",
    directives=[needs(Permission.COMMUNICATIONS_READ)],
)
class Template(Node):
    """What emails of a kind say."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was created.")
    updated_at: datetime = updated_at()
    kind: CommunicationKind = plain("The kind of emails that it is for.")
    name: str = plain("Its name, unique among the templates of its kind.")
    standard: bool = plain("Whether it is the one that is used where no other is named: one of each kind.")
    enabled: bool = plain("While false, nothing is sent with it, and the communication log says so.")
    subject_source: str = plain("The template of the subject.")
    text_source: str = plain("The template of the plain text.")
    html_source: str | None = plain("The template of the HTML; null for emails of plain text only.")
