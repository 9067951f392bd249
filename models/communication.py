"""Communications: what was sent to whom. A delivery is one recipient's part of it, and what became of that."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from piccolo.columns import Boolean, Integer, Text, Timestamptz

from models.communication_kind import SALES
from models.customer import Customer
from models.sales_document import SalesDocument
from models.table import Audited, Json, Row, SubjectType, reference
from models.text import key

# At most so many files go with a message.
ATTACHMENTS = 20


class Suppression(Enum):
    """Why a communication was not sent to anybody. Values may be added."""

    TEMPLATE_DISABLED = "TEMPLATE_DISABLED"
    NO_RECIPIENT = "NO_RECIPIENT"
    NO_PORTAL_ADDRESS = "NO_PORTAL_ADDRESS"


class DeliveryStatus(Enum):
    """What became of one recipient's email. Values may be added."""

    QUEUED = "QUEUED"
    UNKNOWN = "UNKNOWN"
    DEFERRED = "DEFERRED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    BOUNCED = "BOUNCED"
    FAILED = "FAILED"
    SUPPRESSED = "SUPPRESSED"


class RecipientField(Enum):
    """Under which heading of the message a recipient stands."""

    TO = "TO"
    CC = "CC"


class Choice(Enum):
    """Who chose a recipient."""

    RULE = "RULE"
    MANUAL = "MANUAL"


def _lower(value: object) -> str:
    return str(value).replace("_", " ").lower()


_SALES = frozenset(kind.value for kind in SALES)


class Communication(Audited, tablename="communication"):
    """One act of sending. `template_id` and `template_name` say what it was made from, as it was then; both are None
    for a text of one's own. `sent_by` is who sent it, as events name them: kind, id and name.

    With `separate` each recipient got a message of their own, else all got the same one. `attachments` is a list of
    {name, media_type, size, sha256, document_id: the customer's document that it was, or None}. `reminder_step` is the
    step of a reminder workflow (days relative to the due date) that it is, once for each invoice; `statement_month`
    (YYYY-MM) the month whose statement it is, once for each customer. Nothing changes it.

    `about_sales` says that it tells of sales documents: it is of such a kind, names one, or attaches a PDF of one or of
    a statement; no other files are made for an email. Only who may see sales documents may see it.
    """

    prefix = "com"
    subject = SubjectType.COMMUNICATION
    taken = {
        "reminder_step": ("reminder_step", "This step of the reminder workflow was sent for this invoice already."),
        "statement_month": ("statement_month", "This month's statement was sent to this customer already."),
    }
    texts = {"kind": _lower, "suppressed": _lower}
    derived = frozenset({"about_sales"})

    kind = Text()
    customer_id = reference(Customer, null=False)
    sales_document_id = reference(SalesDocument, null=True)
    template_id = Text(null=True)
    template_name = Text(null=True)
    subject_line = Text()
    sent_by = Json()
    separate = Boolean()
    attachments = Json()
    suppressed = Text(null=True)
    resend_of_id = reference("self", null=True)
    reminder_step = Integer(null=True, default=None)
    statement_month = Text(null=True)
    about_sales = Boolean()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """Whether it tells of sales documents."""
        made = any(attachment.get("document_id") is None for attachment in row["attachments"])
        return {"about_sales": row["kind"] in _SALES or row["sales_document_id"] is not None or made}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """The subject of its messages, or of the first of them."""
        return str(row["subject_line"])

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The customer."""
        return str(row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer who was written to."""
        return str(row["customer_id"])

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """The sales document that it is about."""
        return None if row["sales_document_id"] is None else str(row["sales_document_id"])


class Delivery(Audited, tablename="delivery"):
    """One recipient of a communication as they were then, the message that went to them, and what became of it.

    `chosen` says by whom (a Choice), `reasons` (values of RecipientReason) why the rules would or would not have
    included them. `message_id` is the Message-ID without its brackets (RFC 5322); deliveries that share a message
    share it. `reply` is what was said last about it by a mail server, `may_repeat` whether it may have arrived twice.
    `about_sales` is that of the communication.
    """

    prefix = "dlv"
    subject = SubjectType.DELIVERY
    long = frozenset({"text", "html"})
    unread = frozenset({"text", "html", "email_key"})
    derived = frozenset({"email_key"})
    texts = {"status": _lower, "chosen": _lower}

    communication_id = reference(Communication, null=False)
    customer_id = reference(Customer, null=False)
    sales_document_id = reference(SalesDocument, null=True)
    contact_id = Text(null=True)
    name = Text()
    email = Text()
    email_key = Text()
    role = Text(null=True)
    field = Text()
    chosen = Text()
    reasons = Json()
    message_id = Text()
    subject_line = Text()
    text = Text()
    html = Text(null=True)
    status = Text()
    status_at = Timestamptz()
    attempts = Integer()
    reply = Text(null=True)
    may_repeat = Boolean()
    about_sales = Boolean()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that reports about the address find it by."""
        return {"email_key": key(row["email"])}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """Who got it where: `Ada Example <ada@example.com>`."""
        return f"{row['name']} <{row['email']}>" if row["name"] else str(row["email"])

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The contact, or else the customer."""
        return str(row["contact_id"] or row["customer_id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The customer who was written to."""
        return str(row["customer_id"])

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """The sales document that it is about."""
        return None if row["sales_document_id"] is None else str(row["sales_document_id"])


_S = DeliveryStatus

# What may follow each status. What has bounced or was never to be sent stays so; a server's own refusal can turn out
# to have been wrong only by a report from the recipient's side.
_FOLLOWING: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    _S.QUEUED: frozenset({_S.UNKNOWN, _S.DEFERRED, _S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED}),
    _S.UNKNOWN: frozenset({_S.UNKNOWN, _S.DEFERRED, _S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED}),
    _S.DEFERRED: frozenset({_S.UNKNOWN, _S.DEFERRED, _S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED}),
    _S.SENT: frozenset({_S.DEFERRED, _S.DELIVERED, _S.BOUNCED}),
    _S.FAILED: frozenset({_S.DELIVERED, _S.BOUNCED}),
    _S.DELIVERED: frozenset({_S.BOUNCED}),
    _S.BOUNCED: frozenset(),
    _S.SUPPRESSED: frozenset(),
}


def may_follow(now: DeliveryStatus, then: DeliveryStatus) -> bool:
    """Whether a delivery that is `now` can become `then`."""
    return then in _FOLLOWING[now]
