"""Inputs and payloads of mutations of templates."""

from __future__ import annotations

import strawberry

import models
from models import CommunicationKind
from schema.access import PARENT
from schema.field import optional, required
from schema.payload import Payload, changed, deleted_id
from schema.template import Template

_LANGUAGE = "in the language of docs/templates.md; `templateVariables` lists what it can name."
_SUBJECT = f"The template of the subject: one line of at most 998 octets, {_LANGUAGE}"
_TEXT = f"The template of the plain text: at most 100 KiB, {_LANGUAGE}"
_HTML = f"The template of the HTML: at most 100 KiB, {_LANGUAGE} Null for emails of plain text only."
_COPIED = " If omitted, that of the kind's standard template."
_REVISION = "Refuse with CONFLICT unless it has this revision."
_WHICH = "Which template."


@strawberry.input(description="A new template.")
class CreateTemplateInput:
    """A new template."""

    kind: CommunicationKind = required("For which emails. It stays as it is.")
    name: str = required("Its name, unique among the templates of its kind: 1 to 100 characters.")
    enabled: bool | None = optional("While false, nothing is sent with it; if omitted, true.")
    subject_source: str | None = optional(_SUBJECT + _COPIED)
    text_source: str | None = optional(_TEXT + _COPIED)
    html_source: str | None = optional(_HTML + _COPIED)


@strawberry.input(description="A change of a template. What is omitted stays.")
class UpdateTemplateInput:
    """A change of a template."""

    id: strawberry.ID = required(_WHICH)
    expected_revision: int | None = optional(_REVISION)
    name: str | None = optional("Its name; cannot be null.")
    enabled: bool | None = optional("While false, nothing is sent with it, and the log says so; cannot be null.")
    subject_source: str | None = optional(f"{_SUBJECT} Cannot be null.")
    text_source: str | None = optional(f"{_TEXT} Cannot be null.")
    html_source: str | None = optional(_HTML)


@strawberry.input(description="The return of a template to the product's own text for its kind.")
class ResetTemplateInput:
    """The return of a template to the product's own text."""

    id: strawberry.ID = required(_WHICH)
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="The end of a template. A standard one stays, and one that a reminder workflow names.")
class DeleteTemplateInput:
    """The end of a template."""

    id: strawberry.ID = required(_WHICH)
    expected_revision: int | None = optional(_REVISION)


@strawberry.type(description="What createTemplate answers.", directives=[PARENT])
class CreateTemplatePayload(Payload):
    """What createTemplate answers."""

    template: Template | None = changed("template", models.Template)


@strawberry.type(description="What updateTemplate answers.", directives=[PARENT])
class UpdateTemplatePayload(Payload):
    """What updateTemplate answers."""

    template: Template | None = changed("template", models.Template)


@strawberry.type(description="What resetTemplate answers.", directives=[PARENT])
class ResetTemplatePayload(Payload):
    """What resetTemplate answers."""

    template: Template | None = changed("template", models.Template)


@strawberry.type(description="What deleteTemplate answers.", directives=[PARENT])
class DeleteTemplatePayload(Payload):
    """What deleteTemplate answers."""

    deleted_id: strawberry.ID | None = deleted_id()
