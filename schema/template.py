"""Templates: what emails of a kind say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from models import CommunicationKind, Permission
from models.listings import TEMPLATES, template_conditions
from schema.access import PARENT, needs
from schema.connection import connection
from schema.field import optional, plain
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


@strawberry.type(description="Something that a template can name.", directives=[PARENT])
class TemplateVariable:
    """Something that a template can name."""

    name: str = plain("As a template writes it; `lines[].number` is the number of each line, inside a loop over them.")
    description: str = plain("What it is.")
    example: str | None = plain("How it may look; null for what has parts, each of which is listed, too.")
    repeated: bool = plain("Whether it is part of each item of a list.")


@strawberry.type(description="Something wrong with a template.", directives=[PARENT])
class TemplateProblem:
    """Something wrong with a template."""

    field: str = plain("Of which source: `subjectSource`, `textSource` or `htmlSource`.")
    line: int | None = plain("In which line of it, from 1; null when it is about the source as a whole.")
    message: str = plain("What is wrong, and what would be right.")


@strawberry.type(description="What an email would say.", directives=[PARENT])
class TemplatePreview:
    """What an email would say."""

    subject: str | None = plain("The subject; null while there are problems.")
    text: str | None = plain("The plain text; null while there are problems.")
    html: str | None = plain("The HTML, sanitised; null while there are problems, and for emails of plain text only.")
    problems: list[TemplateProblem] = plain("Why the template could not be saved; empty when it could.")


@strawberry.input(description="What to preview: a template as it is, or with sources that are not saved yet.")
class PreviewTemplateInput:
    """What to preview."""

    template_id: strawberry.ID | None = optional("Which template; or `kind`.")
    kind: CommunicationKind | None = optional("The standard template of this kind; or `templateId`.")
    subject_source: str | None = optional("Instead of its template of the subject.")
    text_source: str | None = optional("Instead of its template of the plain text.")
    html_source: str | None = optional("Instead of its template of the HTML; null for an email of plain text only.")
    customer_id: strawberry.ID | None = optional(
        "A real customer; needs CUSTOMERS_READ. A statement is that of the running month, and needs"
        " SALES_DOCUMENTS_READ, too. Documented examples stand for what is not given."
    )
    contact_id: strawberry.ID | None = optional(
        "A contact of the customer; if omitted, the primary one. Needs CUSTOMERS_READ."
    )
    sales_document_id: strawberry.ID | None = optional(
        "A quote, order or invoice of the customer; needs CUSTOMERS_READ and SALES_DOCUMENTS_READ."
    )


@strawberry.input(description="Only templates that fit all of the fields.")
class TemplateFilter:
    """Only templates that fit all of the fields."""

    kind: CommunicationKind | None = optional("For emails of this kind.")
    standard: bool | None = optional("The ones that are used where no other is named, or the others.")
    enabled: bool | None = optional("Enabled, or not.")


def templates() -> Any:
    """All templates."""
    return connection(
        TEMPLATES,
        "All templates, by name.",
        filter_type=TemplateFilter,
        conditions=template_conditions,
        access=needs(Permission.COMMUNICATIONS_READ),
    )
