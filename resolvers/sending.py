"""Sending emails by hand, sending them again, and looking ahead."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import strawberry

from audit import Actor, Change, Request
from models import Fault, Forbidden, Permission, Row
from models.contact import full_name
from resolvers.mutation import Sent, actor_of, mutation, refused, user_error
from schema.access import needs
from schema.communication_mutations import (
    ResendCommunicationInput,
    ResendCommunicationPayload,
    SendCommunicationInput,
    SendCommunicationPayload,
)
from schema.communication_preview import CommunicationPreview
from schema.context import Info
from schema.field import AT_MOST, given
from services.communications import resending, sending
from services.communications.choosing import MOST_RECIPIENTS
from services.communications.sending import Preview

_SEND = needs(Permission.COMMUNICATIONS_SEND)

_NOTHING: Row = {
    "deliveries": [],
    "attachments": [],
    "separate": None,
    "template_name": None,
    "suppressed": None,
    "warnings": [],
}


async def _preview(
    info: Info,
    input: Annotated[SendCommunicationInput, strawberry.argument(description="What sendCommunication would get.")],
) -> Any:
    try:
        found = await sending.preview(actor_of(info.context), given(input))
    except Fault as fault:
        return {**_NOTHING, "errors": [user_error(fault)]}
    except Forbidden as refusal:
        raise await refused(info, refusal) from None
    return {**_shown(found), "errors": []}


def _shown(found: Preview) -> Row:
    draft = found.draft
    return {
        "deliveries": [
            {
                "contact_id": addressee.contact["id"],
                "name": full_name(addressee.contact),
                "email": addressee.email,
                "role": addressee.role,
                "field": addressee.field,
                "chosen": addressee.chosen,
                "reasons": list(addressee.reasons),
                "subject": addressee.message.subject_line,
                "text": addressee.message.text,
                "html": addressee.message.html,
            }
            for addressee in draft.addressees
        ],
        "attachments": [asdict(attachment) for attachment in draft.attachments],
        "separate": draft.separate,
        "template_name": draft.template["name"] if draft.template is not None else None,
        "suppressed": draft.suppressed,
        "warnings": list(found.warnings),
    }


@strawberry.type
class SendingQuery:
    """Looking ahead at emails."""

    preview_communication: CommunicationPreview = strawberry.field(
        resolver=_preview,
        description="What sendCommunication would send for the same input now: to whom, with which texts and files."
        " Nothing is sent or kept. Needs the permission CUSTOMERS_READ, too.",
        directives=[needs(Permission.COMMUNICATIONS_SEND, Permission.COMMUNICATIONS_READ)],
        metadata={AT_MOST: MOST_RECIPIENTS},
    )


async def _prepare_to_send(actor: Actor, _request: Request, sent: Sent) -> None:
    await sending.prepare(actor, sent)


async def _send(change: Change, sent: Sent) -> Sent:
    return {"communication": (await sending.send(change, sent))["id"]}


async def _prepare_to_resend(actor: Actor, _request: Request, sent: Sent) -> None:
    await resending.prepare(actor, sent)


async def _resend(change: Change, sent: Sent) -> Sent:
    return {"communication": (await resending.resend(change, sent))["id"]}


@strawberry.type
class SendingMutation:
    """Sending emails."""

    send_communication = mutation(
        _send,
        SendCommunicationInput,
        SendCommunicationPayload,
        "Send an email to a customer's contacts: its messages wait for the mail server when this answers. When its"
        " template is disabled nothing is sent, and the communication says so. NO_RECIPIENT when nobody would get it."
        " Needs the permission CUSTOMERS_READ, too.",
        _SEND,
        verify=_prepare_to_send,
    )
    resend_communication = mutation(
        _resend,
        ResendCommunicationInput,
        ResendCommunicationPayload,
        "Send a communication again, with the same texts and attachments, to the same recipients or to others."
        " Needs the permission CUSTOMERS_READ, too.",
        _SEND,
        verify=_prepare_to_resend,
    )
