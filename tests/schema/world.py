"""A database with some of everything, in two sizes: what a page of any list needs to be read."""

from __future__ import annotations

from datetime import date
from itertools import count

from audit import Actor, ActorKind, Change, Request, transact
from models import (
    Assignment,
    CommunicationKind,
    Contact,
    Customer,
    DeliveryStatus,
    Document,
    PaymentMethod,
    PaymentResponsibility,
    Permission,
    Row,
    SalesDocumentKind,
)
from models.preferences import preferences_id
from services import (
    api_keys,
    assignments,
    contact_roles,
    contacts,
    customers,
    locations,
    merging,
    notes,
    order_desk,
    payments,
    preferences,
    purposes,
    reminder_workflows,
    sales_documents,
    same_person,
    user_roles,
    users,
)
from services.communications import Addressee, Attachment, Draft, Message, Outcome, record, settle
from services.documents import changing as documents
from services.templates import maintaining as templates

_TOP = PaymentResponsibility.TOP_LEVEL_PARENT
_JOB = {"type": "job", "id": "J-7", "label": "Roof repair"}


class World:
    """Adds customers with locations, contacts, sales documents, notes and preferences, and roles, users and API keys.
    `ids` are the last ones added, by the prefix of their type.
    """

    def __init__(self, maker: Row) -> None:
        self.ids: dict[str, list[str]] = {}
        self._maker = Actor(ActorKind.USER, maker["id"], maker["name"])
        self._numbers = count(1)

    async def grow(self, parents: int, children: int) -> None:
        """Add so many customers with so many of each, and so many of the others; then change one of each type, so that
        all types are among the newest events.
        """
        self.ids = {}

        async def work(change: Change) -> None:
            for _ in range(children):
                await self._others(change)
            for _ in range(parents):
                await self._customer(change, children)
            await self._link(change, children)
            for customer_id in self.ids["cus"]:
                await self._change_what_belongs_to(change, customer_id)
            await self._change_others(change)

        await transact(self._maker, Request.new(), work)

    def _keep(self, row: Row) -> str:
        identifier = str(row["id"])
        self.ids.setdefault(identifier[:3], []).append(identifier)
        return identifier

    def _name(self, what: str) -> str:
        return f"{what} {next(self._numbers)}"

    async def _others(self, change: Change) -> None:
        self._keep(await contact_roles.create(change, {"name": self._name("Role"), "communication": True}))
        steps = {"name": self._name("Workflow"), "steps": [{"days": 0}, {"days": 7, "attach_statement": True}]}
        self._keep(await reminder_workflows.create(change, steps))
        self._keep(await purposes.create(change, {"name": self._name("Purpose")}))
        about = {"kind": CommunicationKind.INVOICE, "name": self._name("Template")}
        self._keep(await templates.create(change, about))
        may = [Permission.NOTES_READ]
        role = self._keep(await user_roles.create(change, {"name": self._name("Reader"), "permissions": may}))
        email = f"{next(self._numbers)}@example.com"
        self._keep(await users.create(change, {"name": self._name("User"), "email": email, "role_id": role}, None))
        key, _ = await api_keys.create(change, {"name": self._name("Machine"), "permissions": may})
        self._keep(key)

    async def _customer(self, change: Change, children: int) -> None:
        number = str(next(self._numbers))
        # Each below the one before it, and the top of all pays.
        above = {"parent_id": self.ids.get("cus", [None])[-1], "payment_responsibility": _TOP}
        synced = {"origin_system": "QUICKBOOKS_ONLINE", "origin_external_id": number, "accounting": {"currency": "EUR"}}
        email = {"email": f"{number}@example.com", "tax_id": "DE 123"}
        customer = self._keep(
            await customers.create(change, {"name": self._name("Customer"), **above, **synced, **email})
        )
        # One of the same tax ID was entered twice by mistake.
        again = await customers.create(change, {"name": self._name("Customer"), "tax_id": number})
        await merging.merge(change, {"id": customer, "merged_id": again["id"]})
        await preferences.override(change, customer, None, {"reminders": {"workflow_id": self.ids["rwf"][0]}})
        self._keep({"id": preferences_id(customer)})
        for index in range(children):
            named = {"customer_id": customer, "name": self._name("Place")}
            place = self._keep(await locations.create(change, named))
            at = {"customer_id": customer, "location_id": place, "role_id": self.ids["rol"][index]}
            person = self._keep(await contacts.create(change, {**at, "last_name": self._name("Person")}))
            assigned = {"contact_id": person, "purpose_id": self.ids["pur"][index], "reference": _JOB}
            self._keep(await assignments.assign(change, assigned))
            document = await self._sales_document(change, customer, place, person)
            for subject_id in (person, customer, document):
                self._keep(await notes.create(change, {"subject_id": subject_id, "body": self._name("Called")}))
            file = await change.insert(Document, {"customer_id": customer, **self._file()})
            self._keep(file)
            await self._communication(change, person, document, file)

    async def _communication(self, change: Change, person: str, document: str, file: Row) -> None:
        contact = await change.read(Contact, person)
        message = Message(self._name("Invoice"), "Dear customer", "<p>Dear customer</p>")
        addressees = [Addressee(contact, "people@example.com", None, [], message) for _ in range(2)]
        draft = Draft(
            kind=CommunicationKind.INVOICE,
            customer_id=contact["customer_id"],
            sales_document_id=document,
            template=None,
            subject_line=message.subject_line,
            addressees=addressees,
            separate=True,
            attachments=[Attachment(file["name"], file["media_type"], file["size"], file["sha256"], file["id"])],
            resend_of_id=self.ids.get("com", [None])[-1],
        )
        communication, deliveries = await record(change, draft)
        self._keep(communication)
        self._keep(deliveries[0])
        problem = {"address": "people@example.com", "at": change.now.isoformat(), "reply": "550 5.1.1 No such user"}
        methods = [{"id": "mth_1", "kind": "EMAIL", "value": "people@example.com", "label": None, "preferred": True}]
        marked = {"methods": methods, "email_problem": {**problem, "delivery_id": deliveries[0]["id"]}}
        await change.update(Contact, contact, marked)

    def _file(self) -> Row:
        sender = {"uploader_kind": "USER", "uploader_id": self._maker.id, "uploader_name": self._maker.name}
        facts = {"name": f"{self._name('Letter')}.txt", "media_type": "text/plain"}
        return {**facts, **sender, "size": 6, "sha256": f"{next(self._numbers):064x}"}

    async def _sales_document(self, change: Change, customer: str, place: str, person: str) -> str:
        made = {"kind": SalesDocumentKind.INVOICE, "number": self._name("I"), "currency": "EUR", "amount": "500.00"}
        of = {"customer_id": customer, "location_id": place, "contact_id": person}
        due = {"due_on": change.now.date()}
        document = self._keep(await sales_documents.create(change, {**of, **made, **due}))
        await order_desk.post(change, document, None, acknowledge=False)
        paid = {"amount": "20.00", "method": PaymentMethod.CARD}
        payment, _ = await payments.record(change, document, None, paid, acknowledge=False)
        self._keep(payment)
        return document

    async def _change_what_belongs_to(self, change: Change, customer_id: str) -> None:
        position = self.ids["cus"].index(customer_id)
        each = len(self.ids["loc"]) // len(self.ids["cus"])
        # Nobody but the accounting system may change what it delivers.
        await change.update(Customer, await change.get(Customer, customer_id), {"website": "https://example.com"})
        await locations.update(change, self.ids["loc"][position * each], None, {"name": self._name("New place")})
        await contacts.update(change, self.ids["con"][position * each], None, {"title": self._name("Title")})
        assignment = await change.get(Assignment, self.ids["asg"][position * each])
        await change.update(Assignment, assignment, {"reference_label": self._name("Job")})
        await documents.rename(change, self.ids["doc"][position * each], None, f"{self._name('Offer')}.txt")
        await notes.update(change, self.ids["not"][position * each * 3], None, {"body": self._name("Paid")})
        await sales_documents.update(change, self.ids["sdo"][position * each], None, {"due_on": date(2999, 12, 31)})
        await preferences.override(change, customer_id, None, {"monthly_statement": True})
        taken = Outcome(DeliveryStatus.SENT, change.now, "250 OK", attempts=1)
        await settle(change, {self.ids["dlv"][position * each]: taken})

    async def _link(self, change: Change, each: int) -> None:
        """The first contacts of all customers are one person, and so on."""
        for position in range(each):
            people = self.ids["con"][position::each]
            if len(people) > 1:
                await same_person.link(change, [{"id": person} for person in people])

    async def _change_others(self, change: Change) -> None:
        await contact_roles.update(change, self.ids["rol"][0], None, {"name": self._name("Renamed")})
        await reminder_workflows.update(change, self.ids["rwf"][0], None, {"name": self._name("Renamed")})
        everywhere = not (await preferences.effective(change, self.ids["cus"][0]))["customer_portal"]
        await preferences.update_settings(change, None, {"customer_portal": everywhere})
        await templates.update(change, self.ids["tpl"][0], None, {"text_source": self._name("Hello")})
        await purposes.update(change, self.ids["pur"][0], None, {"name": self._name("Renamed")})
        await user_roles.update(change, self.ids["uro"][0], None, {"name": self._name("Renamed")})
        await users.update(change, self.ids["usr"][0], None, {"name": self._name("Renamed")})
        await api_keys.revoke(change, self.ids["key"][0], None)
