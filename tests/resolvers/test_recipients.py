"""Who gets an email, and why: asked before anything is sent, of one customer and in lists."""

from __future__ import annotations

from typing import Any

import pytest

from audit import Change
from models import Contact, Permission
from schema import recipient
from tests import factories
from tests.audit.rows import by_ada
from tests.client import Client, ClientWith
from tests.resolvers.documents import UPDATE_CONTACT, UPDATE_CUSTOMER, UPDATE_PREFERENCES, UPDATE_SETTINGS
from tests.resolvers.stubs import last_seq, nothing_recorded

pytestmark = pytest.mark.anyio

Made = dict[str, Any]

RECIPIENTS = """query ($customerId: ID!, $kind: CommunicationKind!, $salesDocumentId: ID) {
  recipients(customerId: $customerId, kind: $kind, salesDocumentId: $salesDocumentId) {
    recipients { contact { lastName role { name } } included reasons email portalAccess { allowed reasons } permitted }
    further warning { code message }
  }
}"""
RECEIVES = "query ($id: ID!) { contact(id: $id) { receives { kind included reasons } } }"
ACCESS = "query ($id: ID!) { contact(id: $id) { portalAccess { allowed reasons } } }"
CUSTOMERS = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount edges { node { name } } } }"
CONTACTS = """query ($filter: ContactFilter, $after: String) {
  contacts(first: 2, filter: $filter, after: $after) {
    totalCount edges { node { lastName } } pageInfo { hasNextPage endCursor }
  }
}"""
EMAIL: Made = {"methods": [{"kind": "EMAIL", "value": "ada@example.com"}]}
OFF: Made = {"notifications": [{"kind": "INVOICE", "enabled": False}]}


async def ask(client: Client, customer_id: str, kind: str, document: Made | None = None) -> Made:
    """The answer of `recipients`."""
    variables = {"customerId": customer_id, "kind": kind, "salesDocumentId": document and document["id"]}
    found = (await client.run(RECIPIENTS, **variables))["recipients"]
    assert client.errors == []
    assert isinstance(found, dict)
    return found


def reasons(answer: Made) -> dict[str, list[str]]:
    """Last name → reasons, in the order of the answer."""
    return {one["contact"]["lastName"]: one["reasons"] for one in answer["recipients"]}


async def roles(client: Client) -> dict[str, str]:
    """Their ids, by what they are designated for."""
    made = {
        name: await factories.contact_role(client, **dict.fromkeys(designations, True))
        for name, designations in {
            "billing": ["invoicePresentment"],
            "collections": ["communication"],
            "all": ["invoicePresentment", "communication"],
        }.items()
    }
    return {name: role["id"] for name, role in made.items()}


async def bounced(contact_id: str) -> None:
    """Let the contact's address be known to bounce."""

    async def work(change: Change) -> None:
        problem = {"address": "ada@example.com", "at": "2026-01-01T00:00:00+00:00", "reply": "550", "delivery_id": None}
        await change.update(Contact, await change.get(Contact, contact_id), {"email_problem": problem})

    await by_ada(work)


async def test_every_contact_is_answered_with_every_reason(client: Client) -> None:
    role = await roles(client)
    customer = await factories.customer(client)
    of = customer["id"]
    await factories.contact(client, of, lastName="Adler", roleId=role["collections"], **EMAIL)
    await factories.contact(client, of, lastName="Berg", roleId=role["billing"], **EMAIL)
    await factories.contact(client, of, lastName="Cole", roleId=role["all"], **OFF)
    bounces = await factories.contact(client, of, lastName="Dorn", roleId=role["all"], **EMAIL)
    await bounced(bounces["id"])
    gone = await factories.contact(client, of, lastName="Ende", **EMAIL)
    await client.change(UPDATE_CONTACT, input={"id": gone["id"], "active": False})
    seq = await last_seq()
    answer = await ask(client, of, "INVOICE")
    assert reasons(answer) == {
        "Berg": ["DESIGNATED", "SWITCHED_ON"],
        "Adler": ["SWITCHED_ON", "NOT_DESIGNATED"],
        "Cole": ["DESIGNATED", "SWITCHED_OFF", "NO_EMAIL"],
        "Dorn": ["DESIGNATED", "SWITCHED_ON", "EMAIL_PROBLEM"],
        "Ende": ["SWITCHED_ON", "NO_ROLE", "INACTIVE"],
    }
    assert [one["included"] for one in answer["recipients"]] == [True, False, False, False, False]
    assert [one["email"] is None for one in answer["recipients"]] == [False, False, True, False, False]
    assert (answer["warning"], answer["further"]) == (None, 0)
    assert list(reasons(await ask(client, of, "REMINDER")))[:1] == ["Adler"]
    assert await last_seq() == seq


async def test_email_portal_access_and_permission_are_three_answers(client: Client) -> None:
    role = await roles(client)
    contact = await factories.contact(client, roleId=role["billing"], lastName="Hopper", **EMAIL)
    of = contact["customer"]["id"]

    async def answers(kind: str = "INVOICE") -> tuple[bool, bool, bool | None]:
        [one] = (await ask(client, of, kind))["recipients"]
        return one["included"], one["portalAccess"]["allowed"], one["permitted"]

    assert await answers() == (True, True, True)
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], **OFF})
    assert await answers() == (False, True, True)
    await client.change(UPDATE_PREFERENCES, input={"customerId": of, "customerPortal": False})
    assert await answers() == (False, False, True)
    permissions = {"portalPermissions": [{"module": "INVOICES", "enabled": False}]}
    await client.change(UPDATE_CONTACT, input={"id": contact["id"], **permissions, "notifications": None})
    assert await answers() == (True, False, False)
    assert await answers("TASK") == (False, False, True)
    await client.change(UPDATE_SETTINGS, input={"portalPermissions": [{"module": "PROJECTS", "enabled": False}]})
    assert await answers("TASK") == (False, False, False)
    assert await answers("STATEMENT") == (False, False, False)


async def test_the_location_of_the_sales_document_counts(client: Client) -> None:
    role = await roles(client)
    customer = await factories.customer(client)
    of = customer["id"]
    here, there = [await factories.location(client, of) for _ in range(2)]
    for name, place in (("Adler", None), ("Berg", here), ("Cole", there)):
        at = place and place["id"]
        await factories.contact(client, of, lastName=name, roleId=role["all"], locationId=at, **EMAIL)
    invoice = await factories.sales_document(client, of, locationId=here["id"])
    order = await factories.sales_document(client, of, kind="ORDER")
    there_too = ["DESIGNATED", "OTHER_LOCATION"]
    for kind in ("REMINDER", "WORKFLOW_REMINDER"):
        assert reasons(await ask(client, of, kind, invoice))["Cole"] == there_too
    assert list(reasons(await ask(client, of, "INVOICE", invoice))) == ["Adler", "Berg", "Cole"]
    without = await ask(client, of, "ESTIMATE", order)
    assert [one["included"] for one in without["recipients"]] == [True, True, True]


SUITABLE: list[tuple[str, set[str]]] = [
    ("INVOICE", {"INVOICE"}),
    ("CREDIT_NOTE", {"INVOICE"}),
    ("REMINDER", {"INVOICE"}),
    ("WORKFLOW_REMINDER", {"INVOICE"}),
    ("ESTIMATE", {"QUOTE", "ORDER"}),
    ("STATEMENT", set()),
    ("PROJECT", {"QUOTE", "ORDER", "INVOICE"}),
]


async def test_the_sales_document_must_suit_the_kind(client: Client) -> None:
    customer = await factories.customer(client)
    for kind, fits in SUITABLE:
        for what in ("QUOTE", "ORDER", "INVOICE"):
            document = await factories.sales_document(client, customer["id"], kind=what)
            sent = {"customerId": customer["id"], "kind": kind, "salesDocumentId": document["id"]}
            await client.run(RECIPIENTS, **sent)
            assert client.codes == ([] if what in fits else ["BAD_REQUEST"]), (kind, what)
            if client.errors:
                assert client.errors[0]["message"] == (
                    f"salesDocumentId: an email of the kind {kind} is not about this {what.lower()}."
                )


async def test_bad_arguments_are_named(client: Client) -> None:
    customer, document = await factories.customer(client), await factories.sales_document(client)
    of = customer["id"]
    gone = {name: f"{name}_01kwef3q8seemv6gzaf2w8kdhe" for name in ("cus", "sdo")}
    cases: list[tuple[Made, str, str]] = [
        ({"customerId": document["id"], "kind": "INVOICE"}, "BAD_ID", "customerId: this is not the ID of a customer"),
        ({"customerId": gone["cus"], "kind": "INVOICE"}, "NOT_FOUND", "customerId: there is no customer"),
        ({"customerId": of, "kind": "WELCOME"}, "BAD_REQUEST", "kind: WELCOME goes to the contact that it is about."),
        ({"customerId": of, "kind": "SET_PASSWORD"}, "BAD_REQUEST", "kind: SET_PASSWORD goes to"),
        ({"customerId": of, "kind": "INVOICE", "salesDocumentId": of}, "BAD_ID", "salesDocumentId: this is not the ID"),
        (
            {"customerId": of, "kind": "INVOICE", "salesDocumentId": gone["sdo"]},
            "NOT_FOUND",
            "salesDocumentId: there is no sales document",
        ),
        (
            {"customerId": of, "kind": "INVOICE", "salesDocumentId": document["id"]},
            "BAD_REQUEST",
            "salesDocumentId: this sales document belongs to another customer.",
        ),
    ]
    async with nothing_recorded():
        for sent, code, message in cases:
            await client.run(RECIPIENTS, **sent)
            assert client.codes == [code], sent
            assert client.errors[0]["message"].startswith(message)
        for document_text, field in ((CUSTOMERS, "hasNoRecipientFor"), (CONTACTS, "receives")):
            await client.run(document_text, filter={field: "WELCOME"})
            assert client.codes == ["BAD_REQUEST"]
            assert client.errors[0]["message"] == f"filter.{field}: WELCOME goes to the contact that it is about."


async def test_who_may_ask(client: Client, client_with: ClientWith) -> None:
    document = await factories.sales_document(client)
    sent = {"customerId": document["customer"]["id"], "kind": "INVOICE"}
    reader = await client_with([Permission.CUSTOMERS_READ])
    await reader.run(RECIPIENTS, **sent)
    assert reader.codes == ["FORBIDDEN"]
    blind = await client_with([Permission.COMMUNICATIONS_READ])
    ask_blindly = "query ($id: ID!) { recipients(customerId: $id, kind: INVOICE) { warning { code } } }"
    await blind.run(ask_blindly, id=sent["customerId"])
    assert blind.codes == ["FORBIDDEN"]
    assert "CUSTOMERS_READ" in blind.errors[0]["message"]
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.COMMUNICATIONS_READ])
    assert (await clerk.run(RECIPIENTS, **sent))["recipients"]["recipients"] == []
    await clerk.run(RECIPIENTS, **sent, salesDocumentId=document["id"])
    assert clerk.codes == ["FORBIDDEN"]
    assert "SALES_DOCUMENTS_READ" in clerk.errors[0]["message"]


async def test_what_could_become_too_long_is_refused(client: Client) -> None:
    customer = await factories.customer(client)
    nested = "recipients { contact { notes(first: 100) { edges { node { id } } } } }"
    text = f'{{ recipients(customerId: "{customer["id"]}", kind: TASK) {{ {nested} }} }}'
    await client.run(text)
    assert client.codes == ["COST_LIMIT"]
    await client.run(text.replace("100", "20"))
    assert client.errors == []


async def test_a_warning_says_that_nobody_is_left_and_why(client: Client) -> None:
    customer = await factories.customer(client)
    of = customer["id"]

    async def warned(kind: str = "INVOICE") -> tuple[str, str]:
        found = (await ask(client, of, kind))["warning"]
        return found["code"], found["message"]

    assert (await warned())[0] == "NO_CONTACT"
    role = await roles(client)
    sole = await factories.contact(client, of, lastName="Hopper", roleId=role["billing"], **EMAIL, **OFF)
    assert await warned() == (
        "SOLE_CONTACT_SWITCHED_OFF",
        "Nobody gets this email: Hopper would be the only recipient, and has the notification switched off.",
    )
    assert await warned("REMINDER") == (
        "NO_RECIPIENT",
        "Nobody gets this email: the only contact, Hopper, has a role without this designation.",
    )
    await client.change(UPDATE_CONTACT, input={"id": sole["id"], "notifications": None})
    assert (await ask(client, of, "INVOICE"))["warning"] is None
    await client.change(UPDATE_CUSTOMER, input={"id": of, "active": False})
    assert (await warned())[0] == "CUSTOMER_INACTIVE"


async def test_a_contact_says_what_it_receives(client: Client) -> None:
    role = await roles(client)
    contact = await factories.contact(client, roleId=role["billing"], **EMAIL, **OFF)
    found = (await client.run(RECEIVES, id=contact["id"]))["contact"]["receives"]
    assert [one["kind"] for one in found if one["included"]] == ["CREDIT_NOTE", "ESTIMATE"]
    assert {one["kind"]: " ".join(one["reasons"]) for one in found} == {
        "INVOICE": "DESIGNATED SWITCHED_OFF",
        **dict.fromkeys(["CREDIT_NOTE", "ESTIMATE"], "DESIGNATED SWITCHED_ON"),
        **dict.fromkeys(["REMINDER", "WORKFLOW_REMINDER", "STATEMENT"], "NOT_DESIGNATED"),
        **dict.fromkeys(["TICKET", "PROJECT", "CONTRACT", "TASK"], "SWITCHED_ON NOT_DESIGNATED"),
    }


async def test_portal_access_is_a_matter_of_settings_preferences_and_states(client: Client) -> None:
    role = await roles(client)
    contact = await factories.contact(client, roleId=role["billing"], **EMAIL)
    of = contact["customer"]["id"]

    async def access() -> list[str]:
        found = (await client.run(ACCESS, id=contact["id"]))["contact"]["portalAccess"]
        assert found["allowed"] == (found["reasons"] in (["ALL_CONTACTS"], ["COMMUNICATION_CONTACT"]))
        assert isinstance(found["reasons"], list)
        return found["reasons"]

    async def update(**sent: Any) -> None:
        await client.change(UPDATE_CONTACT, input={"id": contact["id"], **sent})

    assert await access() == ["ALL_CONTACTS"]
    await client.change(UPDATE_SETTINGS, input={"portalAccess": "COMMUNICATION_CONTACTS"})
    assert await access() == ["NO_COMMUNICATION_CONTACT"]
    await update(roleId=role["collections"])
    assert await access() == ["COMMUNICATION_CONTACT"]
    await client.change(UPDATE_SETTINGS, input={"customerPortal": False, "onlinePayments": {"enabled": False}})
    assert await access() == ["COMMUNICATION_CONTACT", "PORTAL_OFF", "ONLINE_PAYMENTS_DISABLED"]
    own = {"customerPortal": True, "onlinePayments": {"enabled": True}}
    await client.change(UPDATE_PREFERENCES, input={"customerId": of, **own})
    assert await access() == ["COMMUNICATION_CONTACT"]
    later = {"enabled": False, "disabledUntil": "9999-12-31"}
    await client.change(UPDATE_PREFERENCES, input={"customerId": of, "onlinePayments": later})
    await client.change(UPDATE_CUSTOMER, input={"id": of, "active": False})
    await update(roleId=None, methods=[], active=False)
    assert await access() == [
        *("NO_COMMUNICATION_CONTACT", "ONLINE_PAYMENTS_DISABLED", "CUSTOMER_INACTIVE", "INACTIVE", "NO_EMAIL"),
    ]


async def test_lists_find_customers_without_and_contacts_with_an_email(client: Client) -> None:
    role = await roles(client)
    for name, fields in (
        ("Adler", {"roleId": role["all"], **EMAIL}),
        ("Berg", {"roleId": role["billing"], **EMAIL, **OFF}),
        ("Cole", {"roleId": role["collections"], **EMAIL}),
        ("Dorn", {"roleId": role["all"]}),
        ("Ende", {"roleId": role["billing"], **EMAIL}),
    ):
        customer = await factories.customer(client, name=name)
        await factories.contact(client, customer["id"], lastName=name, **fields)
    empty = await factories.customer(client, name="Faro")
    await client.change(UPDATE_CUSTOMER, input={"id": empty["id"], "active": False})

    async def without(kind: str, **filter: Any) -> list[str]:
        found = (await client.run(CUSTOMERS, filter={"hasNoRecipientFor": kind, **filter}))["customers"]
        assert found["totalCount"] == len(found["edges"])
        return [edge["node"]["name"] for edge in found["edges"]]

    async def receiving(kind: str, **filter: Any) -> list[str]:
        names, after = [], None
        while True:
            page = (await client.run(CONTACTS, filter={"receives": kind, **filter}, after=after))["contacts"]
            names += [edge["node"]["lastName"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                assert page["totalCount"] == len(names)
                return names

    assert await without("INVOICE") == ["Berg", "Cole", "Dorn", "Faro"]
    assert await without("INVOICE", active=True) == ["Berg", "Cole", "Dorn"]
    assert await without("CREDIT_NOTE", active=True) == ["Cole", "Dorn"]
    assert await without("REMINDER", active=True) == ["Berg", "Dorn", "Ende"]
    assert await receiving("INVOICE") == ["Adler", "Ende"]
    assert await receiving("CREDIT_NOTE") == ["Adler", "Berg", "Ende"]
    assert await receiving("STATEMENT", roleId=role["collections"]) == ["Cole"]
    await client.change(UPDATE_SETTINGS, input={"notifications": [{"kind": "CREDIT_NOTE", "enabled": False}]})
    assert await receiving("CREDIT_NOTE") == []
    assert await without("CREDIT_NOTE", active=True) == ["Adler", "Berg", "Cole", "Dorn", "Ende"]


async def test_a_long_list_says_how_many_more_there_are(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipient, "MAX_RECIPIENTS", 2)
    role = await roles(client)
    customer = await factories.customer(client)
    for name, fields in (("Adler", {}), ("Berg", {}), ("Cole", {"roleId": role["all"]}), ("Dorn", {})):
        await factories.contact(client, customer["id"], lastName=name, **EMAIL, **fields)
    answer = await ask(client, customer["id"], "INVOICE")
    assert (list(reasons(answer)), answer["further"]) == (["Cole", "Adler"], 2)
