"""Recording a communication: the row, its deliveries, their events and the outbox, in one transaction."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from audit import Change
from models import Communication, Delivery, DeliveryStatus, Row, Suppression
from models.identifier import new_id
from models.outbox import enqueue, name_contents
from services import mail
from services.communications.draft import Addressee, Draft

MESSAGE_PREFIX = "msg"


async def record(change: Change, draft: Draft) -> tuple[Row, list[Row]]:
    """The communication and its deliveries, queued unless the draft is suppressed. Without addressees nothing is sent,
    and it says NO_RECIPIENT. Whether the customer may be written to is decided before.
    """
    suppressed = draft.suppressed
    if not draft.addressees and suppressed is None:
        suppressed = Suppression.NO_RECIPIENT
    communication = await change.insert(Communication, _communication(change, draft, suppressed))
    shared = _new_message_id()
    deliveries = [
        await change.insert(
            Delivery,
            {
                **_delivery(communication, addressee),
                "message_id": _new_message_id() if draft.separate else shared,
                "status": (DeliveryStatus.SUPPRESSED if suppressed else DeliveryStatus.QUEUED).value,
                "status_at": change.now,
            },
        )
        for addressee in draft.addressees
    ]
    await name_contents(communication["id"], communication["attachments"])
    if suppressed is None:
        message_ids = list(dict.fromkeys(delivery["message_id"] for delivery in deliveries))
        await enqueue(communication["id"], message_ids, change.now)
    return communication, deliveries


def _communication(change: Change, draft: Draft, suppressed: Suppression | None) -> dict[str, Any]:
    return {
        "kind": draft.kind.value,
        "customer_id": draft.customer_id,
        "sales_document_id": draft.sales_document_id,
        "template_id": draft.template["id"] if draft.template else None,
        "template_name": draft.template["name"] if draft.template else None,
        "subject_line": draft.subject_line,
        "sent_by": {"kind": change.actor.kind.value, "id": change.actor.id, "name": change.actor.name},
        "separate": draft.separate,
        "attachments": [asdict(attachment) for attachment in draft.attachments],
        "suppressed": suppressed.value if suppressed else None,
        "resend_of_id": draft.resend_of_id,
        "reminder_step": draft.reminder_step,
        "statement_month": draft.statement_month,
    }


def _delivery(communication: Row, addressee: Addressee) -> dict[str, Any]:
    contact, message = addressee.contact, addressee.message
    return {
        "communication_id": communication["id"],
        "customer_id": communication["customer_id"],
        "sales_document_id": communication["sales_document_id"],
        "contact_id": contact["id"],
        "name": " ".join(part for part in (contact["first_name"], contact["last_name"]) if part),
        "email": addressee.email,
        "role": addressee.role,
        "field": addressee.field.value,
        "chosen": addressee.chosen.value,
        "reasons": [reason.value for reason in addressee.reasons],
        "subject_line": message.subject_line,
        "text": message.text,
        "html": message.html,
        "attempts": 0,
        "may_repeat": False,
        "about_sales": communication["about_sales"],
    }


def _new_message_id() -> str:
    return f"{new_id(MESSAGE_PREFIX)}@{mail.current().domain}"
