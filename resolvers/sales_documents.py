"""Sales documents, the order desk and payments: queries and mutations."""

from __future__ import annotations

import strawberry

import models
from audit import Actor, Change, Request
from models import Fault, Permission
from models.identifier import prefix_of
from models.listings import SALES_DOCUMENTS
from models.rows import by_ids
from resolvers.mutation import Sent, mutation
from resolvers.single import single
from schema.access import needs
from schema.connection import Connection
from schema.sales_document import SALES_DOCUMENTS_READ, Payment, SalesDocument, sales_documents
from schema.sales_document_mutations import (
    ApplyContactInput,
    ApplyContactPayload,
    CreateSalesDocumentInput,
    CreateSalesDocumentPayload,
    DeletePaymentInput,
    DeletePaymentPayload,
    DeleteSalesDocumentInput,
    DeleteSalesDocumentPayload,
    PostSalesDocumentInput,
    PostSalesDocumentPayload,
    RecordPaymentInput,
    RecordPaymentPayload,
    ReleaseSalesDocumentInput,
    ReleaseSalesDocumentPayload,
    SetOrderPasswordInput,
    SetOrderPasswordPayload,
    UpdateSalesDocumentInput,
    UpdateSalesDocumentPayload,
    VoidSalesDocumentInput,
    VoidSalesDocumentPayload,
)
from services import order_desk, order_passwords, payments
from services import sales_documents as service

_WRITE = needs(Permission.SALES_DOCUMENTS_WRITE)
_PAY = needs(Permission.PAYMENTS_WRITE)


@strawberry.type
class SalesDocumentQuery:
    """Reading sales documents and payments."""

    sales_document: SalesDocument | None = single(
        models.SalesDocument,
        "One quote, order or invoice; null when there is none with this ID.",
        SALES_DOCUMENTS_READ,
    )
    sales_documents: Connection[SalesDocument] = sales_documents(
        SALES_DOCUMENTS, "All quotes, orders and invoices, newest first.", access=SALES_DOCUMENTS_READ
    )
    payment: Payment | None = single(
        models.Payment, "One payment; null when there is none with this ID.", SALES_DOCUMENTS_READ
    )


async def _verify_new(actor: Actor, request: Request, sent: Sent) -> None:
    await _verify(actor, request, sent, sent["customer_id"], None)


async def _verify_applied(actor: Actor, request: Request, sent: Sent) -> None:
    identifier = sent["sales_document_id"]
    if prefix_of(identifier) == models.SalesDocument.prefix:
        [document] = await by_ids(models.SalesDocument)([identifier])
        if document is not None:
            await _verify(actor, request, sent, document["customer_id"], identifier)


async def _verify(actor: Actor, request: Request, sent: Sent, customer_id: str, document_id: str | None) -> None:
    """Verify the password of an active contact of the customer. Others are told apart in the transaction."""
    contact_id, password = sent.get("contact_id"), sent.get("order_password")
    if password is None or contact_id is None or prefix_of(contact_id) != models.Contact.prefix:
        return
    [contact] = await by_ids(models.Contact)([contact_id])
    if contact is not None and contact["active"] and contact["customer_id"] == customer_id:
        sent["verified_hash"] = await order_passwords.verify(actor, request, contact, password, document_id)


async def _create(change: Change, sent: Sent) -> Sent:
    return {"sales_document": (await service.create(change, sent))["id"]}


async def _update(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent.pop("id"), sent.pop("expected_revision", None)
    return {"sales_document": (await service.update(change, identifier, revision, sent))["id"]}


async def _delete(change: Change, sent: Sent) -> Sent:
    await service.delete(change, sent["id"], sent.get("expected_revision"))
    return {"deleted": sent["id"]}


async def _apply_contact(change: Change, sent: Sent) -> Sent:
    row = await order_desk.apply_contact(change, sent["sales_document_id"], sent.get("expected_revision"), sent)
    return {"sales_document": row["id"]}


async def _release(change: Change, sent: Sent) -> Sent:
    return {"sales_document": (await order_desk.release(change, sent["id"], sent.get("expected_revision")))["id"]}


async def _post(change: Change, sent: Sent) -> Sent:
    acknowledge = bool(sent.get("acknowledge"))
    row = await order_desk.post(change, sent["id"], sent.get("expected_revision"), acknowledge=acknowledge)
    return {"sales_document": row["id"]}


async def _void(change: Change, sent: Sent) -> Sent:
    return {"sales_document": (await service.void(change, sent["id"], sent.get("expected_revision")))["id"]}


async def _record_payment(change: Change, sent: Sent) -> Sent:
    identifier, revision = sent["sales_document_id"], sent.get("expected_revision")
    acknowledge = bool(sent.get("acknowledge"))
    payment, document = await payments.record(change, identifier, revision, sent, acknowledge=acknowledge)
    return {"payment": payment["id"], "sales_document": document["id"]}


async def _delete_payment(change: Change, sent: Sent) -> Sent:
    document = await payments.delete(change, sent["id"], sent.get("expected_revision"))
    return {"sales_document": document["id"], "deleted": sent["id"]}


async def _hash_order_password(sent: Sent) -> None:
    if "password" not in sent:
        raise Fault.invalid("Give a password, or null to take it away.", "password")
    sent["password_hash"] = await order_passwords.hash_new(sent.pop("password"))


async def _set_order_password(change: Change, sent: Sent) -> Sent:
    contact_id, revision = sent["contact_id"], sent.get("expected_revision")
    return {"contact": (await order_passwords.set_hash(change, contact_id, revision, sent["password_hash"]))["id"]}


@strawberry.type
class SalesDocumentMutation:
    """Changing sales documents, recording payments, setting order passwords."""

    create_sales_document = mutation(
        _create,
        CreateSalesDocumentInput,
        CreateSalesDocumentPayload,
        "Add a quote, an order or an invoice, as a draft.",
        _WRITE,
        verify=_verify_new,
    )
    update_sales_document = mutation(
        _update, UpdateSalesDocumentInput, UpdateSalesDocumentPayload, "Change a sales document.", _WRITE
    )
    delete_sales_document = mutation(
        _delete, DeleteSalesDocumentInput, DeleteSalesDocumentPayload, "Delete a draft and its notes.", _WRITE
    )
    apply_contact = mutation(
        _apply_contact,
        ApplyContactInput,
        ApplyContactPayload,
        "Say which contact placed a sales document. Where the customer's contact policy is REQUIRED_WITH_PASSWORD, the "
        "contact's order password is demanded. Errors: BAD_CREDENTIALS, THROTTLED (with retryAfter in seconds).",
        _WRITE,
        verify=_verify_applied,
    )
    release_sales_document = mutation(
        _release,
        ReleaseSalesDocumentInput,
        ReleaseSalesDocumentPayload,
        "Release a quote or an order. An order of a customer who requires a contact is not released without one "
        "(CONTACT_REQUIRED).",
        _WRITE,
    )
    post_sales_document = mutation(
        _post,
        PostSalesDocumentInput,
        PostSalesDocumentPayload,
        "Post a released order or an invoice. Without the valid contact that the customer requires: "
        "ACKNOWLEDGEMENT_REQUIRED, or where order passwords are required CONTACT_REQUIRED.",
        _WRITE,
    )
    void_sales_document = mutation(
        _void,
        VoidSalesDocumentInput,
        VoidSalesDocumentPayload,
        "Let a sales document without payments count no more.",
        _WRITE,
    )
    record_payment = mutation(
        _record_payment,
        RecordPaymentInput,
        RecordPaymentPayload,
        "Record a payment for a released order or a posted invoice. The contact policy holds as for posting.",
        _PAY,
    )
    delete_payment = mutation(
        _delete_payment,
        DeletePaymentInput,
        DeletePaymentPayload,
        "Take a payment back that was recorded by mistake or came back. History keeps it; the balance rises again.",
        _PAY,
    )
    set_order_password = mutation(
        _set_order_password,
        SetOrderPasswordInput,
        SetOrderPasswordPayload,
        "Set or clear a contact's order password. It is kept as a hash and can never be viewed.",
        needs(Permission.CUSTOMERS_WRITE),
        prepare=_hash_order_password,
    )
