"""Inputs and payloads of mutations of sales documents, payments and order passwords."""

from __future__ import annotations

from datetime import date

import strawberry

import models
from models import PaymentMethod, SalesDocumentKind
from schema.access import PARENT
from schema.contact import Contact
from schema.field import optional, required
from schema.payload import Payload, changed, deleted_id
from schema.sales_document import Payment, SalesDocument

_REVISION = "Refuse with CONFLICT unless it has this revision."
_AMOUNT = (
    "A decimal such as “1234.50”, not below 0, with no more decimals than the currency has; at most 15 digits of its "
    "minor unit."
)
_ACKNOWLEDGE = (
    "true: go on without a valid contact although the customer requires one (ACKNOWLEDGEMENT_REQUIRED); history says "
    "so. It does not help where the order password is required (CONTACT_REQUIRED)."
)
_SPOKEN = (
    "The contact's order password, as the contact said it: needed when the customer's contact policy is "
    "REQUIRED_WITH_PASSWORD, and verified whenever it is given. Wrong ones are recorded and throttled."
)


@strawberry.input(description="A new quote, order or invoice: a draft.")
class CreateSalesDocumentInput:
    """A new quote, order or invoice."""

    customer_id: strawberry.ID = required("Who buys; an active customer.")
    kind: SalesDocumentKind = required("Quote, order or invoice; it stays so.")
    number: str = required("Its number, unique among documents of its kind, case ignored: 1 to 50 characters.")
    location_id: strawberry.ID | None = optional("For which of the customer's locations.")
    contact_id: strawberry.ID | None = optional("Who places it: the rules of applyContact hold.")
    order_password: str | None = optional(_SPOKEN)
    issued_on: date | None = optional("The day that it bears; if omitted, today in UTC.")
    due_on: date | None = optional("The day on which it is to be paid, not before `issuedOn`.")
    currency: str = required("ISO 4217 code, e.g. EUR.")
    amount: str = required(_AMOUNT)


@strawberry.input(
    description="A change of a sales document. What is omitted stays, null clears. Only drafts change, but for the due "
    "date, which also changes after release and posting."
)
class UpdateSalesDocumentInput:
    """A change of a sales document."""

    id: strawberry.ID = required("Which sales document.")
    expected_revision: int | None = optional(_REVISION)
    number: str | None = optional("Its number; cannot be null.")
    location_id: strawberry.ID | None = optional("For which of the customer's locations.")
    issued_on: date | None = optional("The day that it bears; cannot be null.")
    due_on: date | None = optional("The day on which it is to be paid, not before `issuedOn`.")
    currency: str | None = optional("ISO 4217 code; cannot be null. Give `amount` with it.")
    amount: str | None = optional(f"{_AMOUNT} Cannot be null.")


@strawberry.input(description="The end of a draft and its notes. Other documents are voided instead.")
class DeleteSalesDocumentInput:
    """The end of a draft."""

    id: strawberry.ID = required("Which sales document.")
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="Who placed a sales document.")
class ApplyContactInput:
    """Who placed a sales document."""

    sales_document_id: strawberry.ID = required("Which sales document; neither PAID nor VOID.")
    contact_id: strawberry.ID | None = optional(
        "An active contact of the same customer; null or omitted takes the contact away, while it is a draft."
    )
    order_password: str | None = optional(_SPOKEN)
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="The release of a quote or an order.")
class ReleaseSalesDocumentInput:
    """The release of a quote or an order."""

    id: strawberry.ID = required("Which sales document.")
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="The posting of a released order or of an invoice.")
class PostSalesDocumentInput:
    """The posting of a released order or of an invoice."""

    id: strawberry.ID = required("Which sales document.")
    expected_revision: int | None = optional(_REVISION)
    acknowledge: bool | None = optional(_ACKNOWLEDGE)


@strawberry.input(description="A sales document that does not count any more.")
class VoidSalesDocumentInput:
    """A sales document that does not count any more."""

    id: strawberry.ID = required("Which sales document; one without payments.")
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="A payment that arrived, in the currency of the document.")
class RecordPaymentInput:
    """A payment that arrived."""

    sales_document_id: strawberry.ID = required("For which released order or posted invoice.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless the sales document has this revision.")
    amount: str = required("A decimal such as “1234.50”: more than 0, at most the balance.")
    method: PaymentMethod = required("How it arrived.")
    received_on: date | None = optional("The day on which it arrived; if omitted, today in UTC.")
    reference: str | None = optional("A check number, a transaction's ID: up to 100 characters.")
    acknowledge: bool | None = optional(_ACKNOWLEDGE)


@strawberry.input(description="A payment that was recorded by mistake or came back.")
class DeletePaymentInput:
    """A payment that was recorded by mistake or came back."""

    id: strawberry.ID = required("Which payment.")
    expected_revision: int | None = optional(_REVISION)


@strawberry.input(description="A contact's new order password, or none any more.")
class SetOrderPasswordInput:
    """A contact's new order password, or none any more."""

    contact_id: strawberry.ID = required("Whose.")
    expected_revision: int | None = optional("Refuse with CONFLICT unless the contact has this revision.")
    password: str | None = optional(
        "6 to 128 characters without control characters, to be said at the order desk; null takes the password away. "
        "Cannot be omitted."
    )


@strawberry.type(description="What createSalesDocument answers.", directives=[PARENT])
class CreateSalesDocumentPayload(Payload):
    """What createSalesDocument answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What updateSalesDocument answers.", directives=[PARENT])
class UpdateSalesDocumentPayload(Payload):
    """What updateSalesDocument answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What deleteSalesDocument answers.", directives=[PARENT])
class DeleteSalesDocumentPayload(Payload):
    """What deleteSalesDocument answers."""

    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.type(description="What applyContact answers.", directives=[PARENT])
class ApplyContactPayload(Payload):
    """What applyContact answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What releaseSalesDocument answers.", directives=[PARENT])
class ReleaseSalesDocumentPayload(Payload):
    """What releaseSalesDocument answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What postSalesDocument answers.", directives=[PARENT])
class PostSalesDocumentPayload(Payload):
    """What postSalesDocument answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What voidSalesDocument answers.", directives=[PARENT])
class VoidSalesDocumentPayload(Payload):
    """What voidSalesDocument answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What recordPayment answers.", directives=[PARENT])
class RecordPaymentPayload(Payload):
    """What recordPayment answers."""

    payment: Payment | None = changed("payment", models.Payment)
    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)


@strawberry.type(description="What deletePayment answers.", directives=[PARENT])
class DeletePaymentPayload(Payload):
    """What deletePayment answers."""

    sales_document: SalesDocument | None = changed("sales_document", models.SalesDocument)
    deleted_id: strawberry.ID | None = deleted_id()


@strawberry.type(description="What setOrderPassword answers.", directives=[PARENT])
class SetOrderPasswordPayload(Payload):
    """What setOrderPassword answers."""

    contact: Contact | None = changed("contact", models.Contact)
