"""Templates: queries and mutations."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

import models
from audit import Change
from models import CommunicationKind, ErrorCode, Fault, Forbidden, Permission
from resolvers.mutation import Sent, actor_of, mutation, refused
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection
from schema.context import Info
from schema.errors import RequestError
from schema.field import AT_MOST, VALUES, given
from schema.template import PreviewTemplateInput, Template, TemplatePreview, TemplateVariable, templates
from schema.template_mutations import (
    CreateTemplateInput,
    CreateTemplatePayload,
    DeleteTemplateInput,
    DeleteTemplatePayload,
    ResetTemplateInput,
    ResetTemplatePayload,
    UpdateTemplateInput,
    UpdateTemplatePayload,
)
from services.templates import maintaining, vocabulary
from services.templates.previewing import preview
from services.templates.sources import check_ahead

_READ = needs(Permission.COMMUNICATIONS_READ)
_WRITE = needs(Permission.SETTINGS_WRITE)


def _variables(
    kind: Annotated[CommunicationKind, strawberry.argument(description="Of which emails.")],
) -> Any:
    return [vars(variable) for variable in vocabulary.documented(kind)]


async def _preview(
    info: Info, input: Annotated[PreviewTemplateInput, strawberry.argument(description="What to preview.")]
) -> Any:
    try:
        shown = await preview(actor_of(info.context), given(input))
    except Forbidden as refusal:
        raise await refused(info, refusal) from None
    except Fault as fault:
        code = "NOT_FOUND" if fault.code is ErrorCode.NOT_FOUND else "BAD_REQUEST"
        where = ".".join(["input", *(to_camel_case(str(part)) for part in fault.field or ())])
        raise RequestError(code, f"{where}: {fault.message}") from None
    message = shown.message
    return {
        "subject": message and message.subject_line,
        "text": message and message.text,
        "html": message and message.html,
        "problems": [
            {"field": to_camel_case(name), "line": problem.line, "message": problem.message}
            for name, found in shown.problems.items()
            for problem in found
        ],
    }


@strawberry.type
class TemplateQuery:
    """Reading and previewing templates."""

    template: Template | None = single(models.Template, "One template; null when there is none with this ID.", _READ)
    templates: Connection[Template] = templates()
    template_variables: list[TemplateVariable] = strawberry.field(
        resolver=_variables,
        description="What templates for emails of a kind can name.",
        directives=[_READ],
        metadata={AT_MOST: max(len(vocabulary.documented(kind)) for kind in CommunicationKind), VALUES: True},
    )
    preview_template: TemplatePreview = strawberry.field(
        resolver=_preview,
        description="What an email from a template would say. Nothing is sent or kept.",
        directives=[_READ],
    )


async def _check_new(sent: Sent) -> None:
    await check_ahead(sent["kind"], None, sent)


async def _check_changed(sent: Sent) -> None:
    await check_ahead(None, sent["id"], sent)


async def _create(change: Change, sent: Sent) -> Sent:
    return {"template": (await maintaining.create(change, sent))["id"]}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"template": (await maintaining.update(change, identifier, revision, sent))["id"]}


async def _reset(change: Change, sent: Sent) -> Sent:
    return {"template": (await maintaining.reset(change, sent["id"], sent.get("expected_revision")))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await maintaining.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


@strawberry.type
class TemplateMutation:
    """Changing templates."""

    create_template = mutation(
        _create, CreateTemplateInput, CreateTemplatePayload, "Add a template.", _WRITE, prepare=_check_new
    )
    update_template = mutation(
        _update,
        UpdateTemplateInput,
        UpdateTemplatePayload,
        "Change, rename, enable or disable a template.",
        _WRITE,
        prepare=_check_changed,
    )
    reset_template = mutation(
        _reset, ResetTemplateInput, ResetTemplatePayload, "Give a template the product's own text again.", _WRITE
    )
    delete_template = mutation(_delete, DeleteTemplateInput, DeleteTemplatePayload, "Delete a template.", _WRITE)
