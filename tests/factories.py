"""Objects with defaults: made through the API as users make them, or as an accounting system delivers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeVar

from audit import Actor, ActorKind, Change, Request, transact
from models import Permission, Row
from services import contacts, customers
from tests.client import Client, File
from tests.resolvers.documents import (
    ASSIGN_CONTACT,
    CREATE_API_KEY,
    CREATE_CONTACT,
    CREATE_CONTACT_ROLE,
    CREATE_CUSTOMER,
    CREATE_LOCATION,
    CREATE_NOTE,
    CREATE_PURPOSE,
    CREATE_SALES_DOCUMENT,
    CREATE_TEMPLATE,
    CREATE_USER,
    CREATE_USER_ROLE,
    CREATE_WORKFLOW,
    LINK_CONTACTS,
    POST,
    RECORD_PAYMENT,
    RELEASE,
    SEND_COMMUNICATION,
    SET_ORDER_PASSWORD,
    UPDATE_PREFERENCES,
    UPLOAD_DOCUMENT,
)

T = TypeVar("T")
Made = dict[str, Any]

QUICKBOOKS = Actor(ActorKind.ACCOUNTING, "QUICKBOOKS_ONLINE", "QuickBooks Online")
BERLIN = {"lines": ["Torstraße 1"], "city": "Berlin", "region": None, "postalCode": "10119", "country": "DE"}
PARIS = {"lines": ["12 rue Cler", "Étage 3"], "city": "Paris", "region": None, "postalCode": "75007", "country": "FR"}

_numbers = count(1)


async def customer(client: Client, **fields: Any) -> Made:
    """A company."""
    return await _made(client, CREATE_CUSTOMER, "customer", {"name": f"Customer {next(_numbers)}", **fields})


async def location(client: Client, customer_id: str, **fields: Any) -> Made:
    """A place of the customer."""
    named = {"customerId": customer_id, "name": f"Place {next(_numbers)}"}
    return await _made(client, CREATE_LOCATION, "location", {**named, **fields})


async def contact(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """A person at the customer, or at a new one, whom nobody has welcomed."""
    of = customer_id or (await customer(client))["id"]
    named = {"customerId": of, "lastName": f"Person {next(_numbers)}", "doNotSendWelcome": True}
    return await _made(client, CREATE_CONTACT, "contact", {**named, **fields})


async def contact_role(client: Client, **fields: Any) -> Made:
    """A contact role without designations."""
    return await _made(client, CREATE_CONTACT_ROLE, "contactRole", {"name": f"Role {next(_numbers)}", **fields})


async def reminder_workflow(client: Client, **fields: Any) -> Made:
    """Three days before, on and a week after the due date."""
    named = {"name": f"Workflow {next(_numbers)}", "steps": [{"days": days} for days in (-3, 0, 7)]}
    return await _made(client, CREATE_WORKFLOW, "reminderWorkflow", {**named, **fields})


async def template(client: Client, **fields: Any) -> Made:
    """A template of emails with invoices, a copy of the standard one."""
    named = {"kind": "INVOICE", "name": f"Template {next(_numbers)}"}
    return await _made(client, CREATE_TEMPLATE, "template", {**named, **fields})


async def purpose(client: Client, **fields: Any) -> Made:
    """A purpose of one's own."""
    return await _made(client, CREATE_PURPOSE, "purpose", {"name": f"Purpose {next(_numbers)}", **fields})


async def assignment(
    client: Client, contact_id: str | None = None, purpose_id: str | None = None, **fields: Any
) -> Made:
    """A contact, or a new one, that is assigned for a purpose, or for a new one."""
    whom = contact_id or (await contact(client))["id"]
    what = purpose_id or (await purpose(client))["id"]
    return await _made(client, ASSIGN_CONTACT, "assignment", {"contactId": whom, "purposeId": what, **fields})


async def linked(client: Client, number: int, **fields: Any) -> list[Made]:
    """So many contacts of different customers that are one person."""
    people = [await contact(client, **fields) for _ in range(number)]
    payload = await client.change(LINK_CONTACTS, input={"contacts": [{"id": person["id"]} for person in people]})
    return list(payload["contacts"])


async def note(client: Client, subject_id: str, **fields: Any) -> Made:
    """A note on a customer, a contact or a sales document."""
    return await _made(
        client, CREATE_NOTE, "note", {"subjectId": subject_id, "body": f"Called {next(_numbers)}", **fields}
    )


async def document(client: Client, customer_id: str | None = None, content: bytes = b"", **fields: Any) -> Made:
    """A text file on the customer, or on a new one; its content is unlike all others."""
    number = next(_numbers)
    file = File(f"Letter {number}.txt", content or f"Letter {number}".encode())
    of = customer_id or (await customer(client))["id"]
    return await _made(client, UPLOAD_DOCUMENT, "document", {"customerId": of, "file": file, **fields})


async def sales_document(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """A draft of an invoice over 500.00 EUR of the customer, or of a new one."""
    of = customer_id or (await customer(client))["id"]
    named = {"customerId": of, "kind": "INVOICE", "number": str(1000 + next(_numbers)), "currency": "EUR"}
    return await _made(client, CREATE_SALES_DOCUMENT, "salesDocument", {**named, "amount": "500.00", **fields})


async def released_order(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """A released order over 500.00 EUR."""
    made = await sales_document(client, customer_id, kind="ORDER", **fields)
    return await _made(client, RELEASE, "salesDocument", {"id": made["id"]})


async def posted_invoice(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """A posted invoice over 500.00 EUR."""
    made = await sales_document(client, customer_id, **fields)
    return await _made(client, POST, "salesDocument", {"id": made["id"]})


async def recipient(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """A contact who gets all emails: designated for both, with an address."""
    number = next(_numbers)
    role = await contact_role(client, invoicePresentment=True, communication=True)
    methods = [{"kind": "EMAIL", "value": f"person.{number}@example.com"}]
    return await contact(client, customer_id, **{"roleId": role["id"], "methods": methods, **fields})


async def communication(client: Client, customer_id: str | None = None, **fields: Any) -> Made:
    """An email of your own text to the customer's contacts, or to that of a new one."""
    of = customer_id or (await recipient(client))["customer"]["id"]
    said = {"kind": "TASK", "customerId": of, "subject": f"Task {next(_numbers)}", "text": "Please have a look."}
    return await _made(client, SEND_COMMUNICATION, "communication", {**said, **fields})


async def payment(client: Client, sales_document_id: str, **fields: Any) -> Made:
    """120.00 by check for the document."""
    sent = {"salesDocumentId": sales_document_id, "amount": "120.00", "method": "CHECK", **fields}
    return await _made(client, RECORD_PAYMENT, "payment", sent)


async def contact_policy(client: Client, customer_id: str, policy: str | None) -> None:
    """What the order desk asks of the customer."""
    await client.change(UPDATE_PREFERENCES, input={"customerId": customer_id, "contactPolicy": policy})


async def order_password(client: Client, contact_id: str, password: str | None) -> Made:
    """The contact with an order password."""
    return await _made(client, SET_ORDER_PASSWORD, "contact", {"contactId": contact_id, "password": password})


async def user(client: Client, **fields: Any) -> Made:
    """A user without password and role."""
    number = next(_numbers)
    named = {"name": f"User {number}", "email": f"user.{number}@example.com"}
    return await _made(client, CREATE_USER, "user", {**named, **fields})


async def user_role(client: Client, *permissions: Permission, **fields: Any) -> Made:
    """A user role with these permissions."""
    named = {"name": f"User role {next(_numbers)}", "permissions": [permission.value for permission in permissions]}
    return await _made(client, CREATE_USER_ROLE, "userRole", {**named, **fields})


async def machine(client: Client, *permissions: Permission, **fields: Any) -> tuple[Made, Client]:
    """An API key, and somebody who uses it."""
    named = {"name": f"Machine {next(_numbers)}", "permissions": [permission.value for permission in permissions]}
    payload = await client.change(CREATE_API_KEY, input={**named, **fields})
    return payload["apiKey"], Client(payload["token"])


async def by_quickbooks(work: Callable[[Change], Awaitable[T]]) -> T:
    """What QuickBooks Online delivers in one transaction."""
    return (await transact(QUICKBOOKS, Request.new("Sync"), work))[0]


async def synced_customer(**fields: Any) -> Row:
    """A customer that QuickBooks Online has delivered; `fields` in Python names."""
    number = next(_numbers)
    origin = {"origin_system": "QUICKBOOKS_ONLINE", "origin_external_id": str(number)}
    given = {"name": f"Synced customer {number}", "email": f"synced.{number}@example.com", **origin, **fields}
    return await by_quickbooks(lambda change: customers.create(change, given))


async def synced_contact(customer_id: str, **fields: Any) -> Row:
    """A contact that QuickBooks Online has delivered; `fields` in Python names."""
    number = next(_numbers)
    origin = {"origin_system": "QUICKBOOKS_ONLINE", "origin_external_id": str(number)}
    methods = [{"kind": "EMAIL", "value": f"contact.{number}@example.com"}]
    given = {"customer_id": customer_id, "first_name": "Synced", "last_name": f"Person {number}", "methods": methods}
    return await by_quickbooks(lambda change: contacts.create(change, {**given, **origin, **fields}))


async def _made(client: Client, document: str, name: str, fields: Made) -> Made:
    made = (await client.change(document, input=fields))[name]
    assert isinstance(made, dict)
    return made
