"""Recipients: who gets an email, answered before it is sent."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models import (
    CommunicationKind,
    Customer,
    Forbidden,
    Permission,
    Row,
    SalesDocument,
    SalesDocumentKind,
)
from models.communication_document import DOCUMENTS
from models.communication_kind import DESIGNATION
from models.recipient_rows import decisions
from models.rows import by_ids
from resolvers.mutation import actor_of, refused
from schema.access import needs
from schema.context import Info
from schema.errors import RequestError, check_reference
from schema.field import AT_MOST
from schema.recipient import MAX_RECIPIENTS, Recipients


async def _recipients(
    info: Info,
    customer_id: Annotated[strawberry.ID, strawberry.argument(description="Whose contacts.")],
    kind: Annotated[
        CommunicationKind,
        strawberry.argument(
            description="What the email is about; not WELCOME or SET_PASSWORD, which go to the contact they are about."
        ),
    ],
    sales_document_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description="The customer's quote, order or invoice that the email is about; its location counts. An"
            " invoice for INVOICE, CREDIT_NOTE and reminders, a quote or an order for ESTIMATE, none for STATEMENT."
            " Needs the permission SALES_DOCUMENTS_READ."
        ),
    ] = None,
) -> Any:
    if kind not in DESIGNATION:
        raise RequestError("BAD_REQUEST", f"kind: {kind.value} goes to the contact that it is about.")
    if not actor_of(info.context).may(Permission.CUSTOMERS_READ):
        raise await refused(info, Forbidden("Recipients need the permission CUSTOMERS_READ, too."))
    check_reference("customerId", customer_id, Customer)
    if sales_document_id is not None:
        check_reference("salesDocumentId", sales_document_id, SalesDocument)
        if not actor_of(info.context).may(Permission.SALES_DOCUMENTS_READ):
            raise await refused(info, Forbidden("A sales document needs the permission SALES_DOCUMENTS_READ, too."))
    [customer] = await by_ids(Customer)([customer_id])
    if customer is None:
        raise RequestError("NOT_FOUND", "customerId: there is no customer with this ID.")
    document = None if sales_document_id is None else await _document(sales_document_id, customer_id, kind)
    location_ids = {str(customer_id): document["location_id"]} if document is not None else {}
    [found] = await decisions([customer_id], kind, location_ids)
    return {"decisions": found}


async def _document(identifier: str, customer_id: str, kind: CommunicationKind) -> Row:
    [document] = await by_ids(SalesDocument)([identifier])
    if document is None:
        raise RequestError("NOT_FOUND", "salesDocumentId: there is no sales document with this ID.")
    if document["customer_id"] != customer_id:
        raise RequestError("BAD_REQUEST", "salesDocumentId: this sales document belongs to another customer.")
    if SalesDocumentKind(document["kind"]) not in DOCUMENTS[kind]:
        what = document["kind"].lower()
        raise RequestError(
            "BAD_REQUEST", f"salesDocumentId: an email of the kind {kind.value} is not about this {what}."
        )
    return document


@strawberry.type
class RecipientQuery:
    """Reading who gets an email."""

    recipients: Recipients = strawberry.field(
        resolver=_recipients,
        description="Who of a customer's contacts gets an email of a kind, and why: what sending it now would do."
        " Needs the permission CUSTOMERS_READ, too.",
        directives=[needs(Permission.COMMUNICATIONS_READ)],
        metadata={AT_MOST: MAX_RECIPIENTS},
    )
