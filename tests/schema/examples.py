"""For each mutation of the schema a call that succeeds: test_mutation_walk.py wants one for every new mutation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import models
from models import clock
from services import password_links
from tests import factories
from tests.client import PASSWORD, Client, File, client_with, new_session, set_password
from tests.resolvers.documents import UPDATE_PREFERENCES
from tests.services.communications.drafts import bounced

Sent = dict[str, Any]
# Somebody who may call the mutation, and its input; None for one that has none.
Example = Callable[[Client], Awaitable[tuple[Client, Sent | None]]]

REFERENCE = {"type": "job", "id": "J-7", "label": "Roof repair"}

EXAMPLES: dict[str, Example] = {}


def example(make: Example) -> Example:
    """Register the example of the mutation that the function is named after."""
    words = make.__name__.split("_")
    EXAMPLES[words[0] + "".join(word.capitalize() for word in words[1:])] = make
    return make


async def with_password() -> Client:
    somebody = await client_with()
    assert somebody.user is not None
    await set_password(somebody.user["id"])
    return Client(await new_session(somebody.user["id"]), somebody.user)


@example
async def sign_in(admin: Client) -> tuple[Client, Sent | None]:
    somebody = await with_password()
    assert somebody.user is not None
    return Client(), {"email": somebody.user["email"], "password": PASSWORD}


@example
async def sign_out(admin: Client) -> tuple[Client, Sent | None]:
    return await client_with(), None


@example
async def change_password(admin: Client) -> tuple[Client, Sent | None]:
    return await with_password(), {"currentPassword": PASSWORD, "password": "seven purple wheelbarrows sing"}


@example
async def create_api_key(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Nightly export", "permissions": ["CUSTOMERS_READ"]}


@example
async def revoke_api_key(admin: Client) -> tuple[Client, Sent | None]:
    key, _ = await factories.machine(admin, models.Permission.CUSTOMERS_READ)
    return admin, {"id": key["id"]}


@example
async def create_customer(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Lakeside Bakery", "email": "office@lakeside.example.com"}


@example
async def update_customer(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.customer(admin))["id"], "website": "https://lakeside.example.com"}


@example
async def merge_customers(admin: Client) -> tuple[Client, Sent | None]:
    survivor, merged = await factories.customer(admin), await factories.contact(admin)
    return admin, {"id": survivor["id"], "mergedId": merged["customer"]["id"], "take": ["NAME"]}


@example
async def convert_to_contact(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin, email="eva@lakeside.example.com")
    return admin, {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]], "firstName": "Eva"}


@example
async def create_location(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"customerId": (await factories.customer(admin))["id"], "name": "Warehouse"}


@example
async def update_location(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin)
    return admin, {"id": (await factories.location(admin, customer["id"]))["id"], "name": "Warehouse 2"}


@example
async def delete_location(admin: Client) -> tuple[Client, Sent | None]:
    customer = await factories.customer(admin)
    return admin, {"id": (await factories.location(admin, customer["id"]))["id"]}


@example
async def create_contact(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"customerId": (await factories.customer(admin))["id"], "firstName": "Eva"}


@example
async def update_contact(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    role = await factories.contact_role(admin)
    return admin, {"id": contact["id"], "title": "CFO", "roleId": role["id"]}


@example
async def clear_email_problem(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin, methods=[{"kind": "EMAIL", "value": "eva@example.com"}])
    await bounced(contact["id"])
    return admin, {"id": contact["id"], "expectedRevision": 2}


@example
async def delete_contact(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    successor = await factories.contact(admin, contact["customer"]["id"])
    await factories.note(admin, contact["id"])
    return admin, {"id": contact["id"], "successorId": successor["id"]}


@example
async def set_contact_roles(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.contact_role(admin)
    contacts = [{"id": (await factories.contact(admin))["id"]} for _ in range(2)]
    return admin, {"contacts": contacts, "roleId": role["id"]}


@example
async def set_contact_password(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.recipient(admin)
    token = await password_links.issue(contact["id"], contact["email"], clock.now())
    return Client(), {"token": token, "password": "seven purple wheelbarrows sing"}


@example
async def create_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Dunning", "communication": True}


@example
async def update_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.contact_role(admin))["id"], "invoicePresentment": True}


@example
async def delete_contact_role(admin: Client) -> tuple[Client, Sent | None]:
    role, other = await factories.contact_role(admin), await factories.contact_role(admin)
    await factories.contact(admin, roleId=role["id"])
    return admin, {"id": role["id"], "replacementId": other["id"]}


@example
async def create_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    place = await factories.location(admin, contact["customer"]["id"])
    await factories.order_password(admin, contact["id"], "violet")
    return admin, {
        "customerId": contact["customer"]["id"],
        "kind": "ORDER",
        "number": "A-1",
        "locationId": place["id"],
        "contactId": contact["id"],
        "orderPassword": "violet",
        "dueOn": "2999-12-31",
        "currency": "EUR",
        "amount": "1234.50",
    }


@example
async def update_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    document = await factories.sales_document(admin)
    place = await factories.location(admin, document["customer"]["id"])
    changed = {"number": "A-2", "locationId": place["id"], "currency": "JPY", "amount": "1200"}
    return admin, {"id": document["id"], **changed}


@example
async def delete_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    document = await factories.sales_document(admin)
    await factories.note(admin, document["id"])
    return admin, {"id": document["id"]}


@example
async def apply_contact(admin: Client) -> tuple[Client, Sent | None]:
    contact = await factories.contact(admin)
    document = await factories.sales_document(admin, contact["customer"]["id"])
    return admin, {"salesDocumentId": document["id"], "contactId": contact["id"]}


@example
async def release_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.sales_document(admin, kind="ORDER"))["id"]}


@example
async def post_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    document = await factories.sales_document(admin)
    await factories.contact_policy(admin, document["customer"]["id"], "REQUIRED")
    return admin, {"id": document["id"], "acknowledge": True}


@example
async def void_sales_document(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.posted_invoice(admin))["id"]}


@example
async def record_payment(admin: Client) -> tuple[Client, Sent | None]:
    document = await factories.posted_invoice(admin)
    return admin, {"salesDocumentId": document["id"], "amount": "500", "method": "ACH", "reference": "T-1"}


@example
async def delete_payment(admin: Client) -> tuple[Client, Sent | None]:
    document = await factories.posted_invoice(admin)
    return admin, {"id": (await factories.payment(admin, document["id"]))["id"]}


@example
async def set_order_password(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"contactId": (await factories.contact(admin))["id"], "password": "violet"}


@example
async def create_purpose(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Site safety", "single": True}


@example
async def update_purpose(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.purpose(admin))["id"], "name": "Site access"}


@example
async def delete_purpose(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.purpose(admin))["id"]}


@example
async def assign_contact(admin: Client) -> tuple[Client, Sent | None]:
    purpose = await factories.purpose(admin, single=True)
    assignment = await factories.assignment(admin, purpose_id=purpose["id"], reference=REFERENCE)
    other = await factories.contact(admin, assignment["customer"]["id"])
    what = {"purposeId": purpose["id"], "reference": REFERENCE}
    return admin, {"contactId": other["id"], **what, "replace": True}


@example
async def unassign_contact(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.assignment(admin))["id"]}


@example
async def link_contacts(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"contacts": [{"id": (await factories.contact(admin))["id"]} for _ in range(2)]}


@example
async def unlink_contact(admin: Client) -> tuple[Client, Sent | None]:
    linked = await factories.linked(admin, 2)
    return admin, {"id": linked[0]["id"]}


@example
async def create_note(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"subjectId": (await factories.customer(admin))["id"], "body": "Will pay on Monday."}


@example
async def update_note(admin: Client) -> tuple[Client, Sent | None]:
    note = await factories.note(admin, (await factories.contact(admin))["id"])
    return admin, {"id": note["id"], "body": "Has paid.", "pinned": True}


@example
async def delete_note(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.note(admin, (await factories.customer(admin))["id"]))["id"]}


@example
async def update_settings(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"card": {"enabled": True, "surcharge": "2.50"}}


@example
async def update_customer_preferences(admin: Client) -> tuple[Client, Sent | None]:
    workflow = await factories.reminder_workflow(admin)
    customer = await factories.customer(admin)
    await admin.change(UPDATE_PREFERENCES, input={"customerId": customer["id"], "customerPortal": False})
    return admin, {"customerId": customer["id"], "reminders": {"workflowId": workflow["id"]}, "monthlyStatement": True}


@example
async def create_reminder_workflow(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Gentle", "steps": [{"days": day} for day in (-7, 0, 14)]}


@example
async def update_reminder_workflow(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {
        "id": (await factories.reminder_workflow(admin))["id"],
        "steps": [{"days": 0}, {"days": 30, "attachInvoice": True}],
    }


@example
async def delete_reminder_workflow(admin: Client) -> tuple[Client, Sent | None]:
    workflow, other = [await factories.reminder_workflow(admin) for _ in range(2)]
    customer = await factories.customer(admin)
    sent = {"customerId": customer["id"], "reminders": {"workflowId": workflow["id"]}}
    await admin.change(UPDATE_PREFERENCES, input=sent)
    return admin, {"id": workflow["id"], "replacementId": other["id"]}


@example
async def upload_document(admin: Client) -> tuple[Client, Sent | None]:
    file = File("Contract.txt", b"Both parties agree.")
    return admin, {"customerId": (await factories.customer(admin))["id"], "file": file}


@example
async def rename_document(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.document(admin))["id"], "name": "Offer.txt"}


@example
async def delete_document(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.document(admin))["id"]}


@example
async def send_communication(admin: Client) -> tuple[Client, Sent | None]:
    invoice = await factories.posted_invoice(admin)
    customer_id = invoice["customer"]["id"]
    contact = await factories.recipient(admin, customer_id)
    document = await factories.document(admin, customer_id)
    about = {"kind": "INVOICE", "customerId": customer_id, "salesDocumentId": invoice["id"], "attachInvoice": True}
    return admin, {**about, "recipients": [{"contactId": contact["id"]}], "documentIds": [document["id"]]}


@example
async def resend_communication(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.communication(admin))["id"]}


@example
async def send_password_link(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"contactId": (await factories.recipient(admin))["id"]}


@example
async def create_template(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"kind": "REMINDER", "name": "Friendly", "htmlSource": None}


@example
async def update_template(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.template(admin))["id"], "textSource": "Dear {{ customer.name }}"}


@example
async def reset_template(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.template(admin, textSource="Hello"))["id"]}


@example
async def delete_template(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.template(admin))["id"]}


@example
async def create_user(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Nora New", "email": "nora@example.com"}


@example
async def update_user(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.user_role(admin, models.Permission.NOTES_READ)
    return admin, {"id": (await factories.user(admin))["id"], "roleId": role["id"], "active": False}


@example
async def end_sessions(admin: Client) -> tuple[Client, Sent | None]:
    somebody = await client_with()
    assert somebody.user is not None
    return admin, {"userId": somebody.user["id"]}


@example
async def create_user_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"name": "Reader", "permissions": ["CUSTOMERS_READ", "NOTES_READ"]}


@example
async def update_user_role(admin: Client) -> tuple[Client, Sent | None]:
    role = await factories.user_role(admin, models.Permission.NOTES_READ)
    return admin, {"id": role["id"], "permissions": ["NOTES_READ", "NOTES_WRITE"]}


@example
async def delete_user_role(admin: Client) -> tuple[Client, Sent | None]:
    return admin, {"id": (await factories.user_role(admin, models.Permission.NOTES_READ))["id"]}
