"""Contact roles: two designations, at most thirty, and who has them."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from models.identifier import new_id
from services import contact_roles
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CONTACT_ROLES,
    CREATE_CONTACT_ROLE,
    DELETE_CONTACT_ROLE,
    READ_CONTACT,
    SET_CONTACT_ROLES,
    UPDATE_CONTACT,
    UPDATE_CONTACT_ROLE,
)
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio


async def roles(client: Client) -> dict[str, dict[str, Any]]:
    data = await client.run(CONTACT_ROLES)
    return {edge["node"]["name"]: edge["node"] for edge in data["contactRoles"]["edges"]}


@pytest.mark.parametrize("invoice_presentment", [True, False])
@pytest.mark.parametrize("communication", [True, False])
async def test_designations_are_independent_and_shown_at_the_contact(
    client: Client, invoice_presentment: bool, communication: bool
) -> None:
    designations = {"invoicePresentment": invoice_presentment, "communication": communication}
    payload = await client.change(CREATE_CONTACT_ROLE, input={"name": " Billing ", **designations})
    role = payload["contactRole"]
    assert (role["name"], role["wellKnown"], role["designatedBy"], role["contactCount"]) == ("Billing", None, "USER", 0)
    [stub] = payload["events"]
    assert (stub["action"], stub["category"], stub["customer"]) == (
        "CONTACT_ROLE_CREATED",
        "COMMUNICATION_SETTINGS",
        None,
    )
    assert stub["sentence"] == "Ada Admin added contact role Billing."
    assert changes(stub) == {
        "name": (None, "Billing"),
        "invoicePresentment": (None, invoice_presentment),
        "communication": (None, communication),
        "designatedBy": (None, "USER"),
    }
    contact = await factories.contact(client, roleId=role["id"])
    assert (contact["receivesInvoices"], contact["isCommunicationContact"]) == (invoice_presentment, communication)


async def test_a_contact_has_at_most_one_role_changed_by_editing_it(client: Client) -> None:
    billing = await factories.contact_role(client, name="Billing", invoicePresentment=True)
    reminders = await factories.contact_role(client, name="Reminders", communication=True)
    contact = await factories.contact(client, roleId=billing["id"])
    payload = await client.change(UPDATE_CONTACT, input={"id": contact["id"], "roleId": reminders["id"]})
    after = payload["contact"]
    assert (after["receivesInvoices"], after["isCommunicationContact"]) == (False, True)
    [stub] = payload["events"]
    assert changes(stub) == {"roleId": (billing["id"], reminders["id"])}
    assert texts(stub) == {"roleId": ("Billing", "Reminders")}
    assert stub["changes"][0]["label"] == "Role"
    assert stub["sentence"].endswith("role from “Billing” to “Reminders”.")
    after = (await client.change(UPDATE_CONTACT, input={"id": contact["id"], "roleId": None}))["contact"]
    assert (after["role"], after["receivesInvoices"], after["isCommunicationContact"]) == (None, False, False)


async def test_a_role_is_renamed_and_redesignated(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing", invoicePresentment=True)
    contact = await factories.contact(client, roleId=role["id"])
    payload = await client.change(
        UPDATE_CONTACT_ROLE,
        input={"id": role["id"], "name": "Accounts", "invoicePresentment": False, "communication": True},
    )
    assert payload["contactRole"] == {
        **role,
        "revision": 2,
        "name": "Accounts",
        "invoicePresentment": False,
        "communication": True,
        "contactCount": 1,
    }
    [stub] = payload["events"]
    assert texts(stub) == {
        "name": ("Billing", "Accounts"),
        "invoicePresentment": ("yes", "no"),
        "communication": ("no", "yes"),
    }
    after = (await client.run(READ_CONTACT, id=contact["id"]))["contact"]
    assert after == {
        **contact,
        "role": {"id": role["id"], "name": "Accounts"},
        "receivesInvoices": False,
        "isCommunicationContact": True,
    }
    async with nothing_recorded():
        sent = {"id": role["id"], "name": "Accounts", "communication": True}
        assert (await client.change(UPDATE_CONTACT_ROLE, input=sent))["events"] == []


@pytest.mark.parametrize("name", ["name", "invoicePresentment", "communication"])
async def test_nothing_of_a_role_can_be_cleared(client: Client, name: str) -> None:
    role = await factories.contact_role(client)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_CONTACT_ROLE, input={"id": role["id"], name: None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])
    assert fault["message"].endswith("is required: it cannot be null.")


async def test_names_of_roles_are_unique_whatever_their_case(client: Client) -> None:
    role = await factories.contact_role(client, name="Grüße")
    other = await factories.contact_role(client, name="Billing")
    async with nothing_recorded():
        for name in ("grüße", " GRÜSSE ", "company contact", "Company  Contact"):
            fault = await client.fault(CREATE_CONTACT_ROLE, input={"name": name})
            assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
            assert fault["message"] == "Another contact role has this name."
        fault = await client.fault(UPDATE_CONTACT_ROLE, input={"id": other["id"], "name": "GRÜSSE"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
    payload = await client.change(UPDATE_CONTACT_ROLE, input={"id": role["id"], "name": "GRÜSSE"})
    assert payload["contactRole"]["name"] == "GRÜSSE"


async def test_the_31st_role_is_refused(client: Client) -> None:
    there = len(await roles(client))
    made = [await factories.contact_role(client) for _ in range(30 - there)]
    async with nothing_recorded():
        fault = await client.fault(CREATE_CONTACT_ROLE, input={"name": "One too many"})
    assert (fault["code"], fault["field"]) == ("LIMIT_REACHED", None)
    assert fault["message"] == "There are 30 contact roles already, the most there can be: delete one."
    assert len(await roles(client)) == 30
    await client.change(DELETE_CONTACT_ROLE, input={"id": made[0]["id"]})
    await factories.contact_role(client, name="One too many")


async def test_a_role_in_use_is_not_deleted_and_names_its_holders(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing")
    customer = await factories.customer(client)
    for number in range(7):
        await factories.contact(client, customer["id"], lastName=f"Holder {number}", roleId=role["id"])
    async with nothing_recorded():
        fault = await client.fault(DELETE_CONTACT_ROLE, input={"id": role["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "replacementId"])
    assert fault["message"] == (
        "Contacts have this role: Holder 0, Holder 1, Holder 2, Holder 3, Holder 4 and 2 more."
        " Name a role to replace it."
    )
    assert (await roles(client))["Billing"]["contactCount"] == 7


async def test_the_holders_of_a_deleted_role_get_its_replacement(client: Client) -> None:
    old = await factories.contact_role(client, name="Old", invoicePresentment=True)
    new = await factories.contact_role(client, name="New", communication=True)
    holders = [await factories.contact(client, roleId=old["id"]) for _ in range(2)]
    payload = await client.change(DELETE_CONTACT_ROLE, input={"id": old["id"], "replacementId": new["id"]})
    assert payload["deletedId"] == old["id"]
    assert actions(payload["events"]) == ["CONTACT_UPDATED", "CONTACT_UPDATED", "CONTACT_ROLE_DELETED"]
    assert [stub["subject"]["id"] for stub in payload["events"][:2]] == [holder["id"] for holder in holders]
    assert texts(payload["events"][0]) == {"roleId": ("Old", "New")}
    assert payload["events"][2]["sentence"] == "Ada Admin deleted contact role Old."
    after = (await client.run(READ_CONTACT, id=holders[1]["id"]))["contact"]
    assert (after["role"]["name"], after["revision"], after["isCommunicationContact"]) == ("New", 2, True)
    assert "Old" not in await roles(client)


async def test_a_replacement_must_be_another_role_that_exists(client: Client) -> None:
    role = await factories.contact_role(client)
    contact = await factories.contact(client, roleId=role["id"])
    for replacement, code in ((role["id"], "INVALID"), (new_id("rol"), "NOT_FOUND"), (contact["id"], "INVALID")):
        async with nothing_recorded():
            fault = await client.fault(DELETE_CONTACT_ROLE, input={"id": role["id"], "replacementId": replacement})
        assert (fault["code"], fault["field"]) == (code, ["input", "replacementId"])


async def test_well_known_roles_exist_survive_renaming_and_cannot_be_deleted(client: Client) -> None:
    there = await roles(client)
    assert {name: role["wellKnown"] for name, role in there.items()} == {
        "Company Contact": "COMPANY_CONTACT",
        "Primary Contact": "PRIMARY_CONTACT",
    }
    created = await recorded(client, actions=["CONTACT_ROLE_CREATED"])
    assert [stub["sentence"] for stub in created] == [
        "Counterfoil added contact role Company Contact.",
        "Counterfoil added contact role Primary Contact.",
    ]
    role = there["Company Contact"]
    renamed = (await client.change(UPDATE_CONTACT_ROLE, input={"id": role["id"], "name": "Office"}))["contactRole"]
    assert (renamed["name"], renamed["wellKnown"], renamed["designatedBy"]) == ("Office", "COMPANY_CONTACT", "DEFAULT")
    other = await factories.contact_role(client)
    async with nothing_recorded():
        for sent in ({"id": role["id"]}, {"id": role["id"], "replacementId": other["id"]}):
            fault = await client.fault(DELETE_CONTACT_ROLE, input=sent)
            assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "id"])


async def test_roles_are_given_to_many_contacts_at_once(client: Client) -> None:
    role = await factories.contact_role(client, name="Billing", invoicePresentment=True)
    people = [await factories.contact(client) for _ in range(3)]
    await client.change(UPDATE_CONTACT, input={"id": people[1]["id"], "roleId": role["id"]})
    backwards = [people[2]["id"], people[1]["id"], people[0]["id"]]
    sent = [
        {"id": backwards[0], "expectedRevision": 1},
        {"id": backwards[1], "expectedRevision": 2},
        {"id": backwards[2]},
    ]
    payload = await client.change(SET_CONTACT_ROLES, input={"contacts": sent, "roleId": role["id"]})
    assert [contact["id"] for contact in payload["contacts"]] == backwards
    assert {contact["role"]["name"] for contact in payload["contacts"]} == {"Billing"}
    assert [contact["revision"] for contact in payload["contacts"]] == [2, 2, 2]
    assert [stub["subject"]["id"] for stub in payload["events"]] == [backwards[0], backwards[2]]
    assert {stub["requestId"] for stub in payload["events"]} == {client.response.headers["x-request-id"]}
    payload = await client.change(SET_CONTACT_ROLES, input={"contacts": [{"id": each} for each in backwards]})
    assert [contact["role"] for contact in payload["contacts"]] == [None] * 3
    assert [texts(stub) for stub in payload["events"]] == [{"roleId": ("Billing", None)}] * 3
    async with nothing_recorded():
        await client.change(SET_CONTACT_ROLES, input={"contacts": [{"id": each} for each in backwards]})


async def test_roles_are_given_to_all_or_to_nobody(client: Client) -> None:
    role = await factories.contact_role(client)
    first, second = [await factories.contact(client) for _ in range(2)]
    await client.change(UPDATE_CONTACT, input={"id": second["id"], "title": "CFO"})
    good = {"id": first["id"], "expectedRevision": 1}
    refused: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"id": second["id"], "expectedRevision": 1}, "CONFLICT", ["1", "expectedRevision"]),
        ({"id": new_id("con")}, "NOT_FOUND", ["1", "id"]),
        ({"id": role["id"]}, "INVALID", ["1", "id"]),
        ({"id": "nonsense"}, "INVALID", ["1", "id"]),
        ({"id": first["id"]}, "INVALID", ["1", "id"]),
    ]
    for bad, code, field in refused:
        async with nothing_recorded():
            sent = {"contacts": [good, bad], "roleId": role["id"]}
            fault = await client.fault(SET_CONTACT_ROLES, input=sent)
        assert (fault["code"], fault["field"]) == (code, ["input", "contacts", *field])
        assert fault["currentRevision"] == (2 if code == "CONFLICT" else None)
    async with nothing_recorded():
        fault = await client.fault(SET_CONTACT_ROLES, input={"contacts": [good], "roleId": new_id("rol")})
        assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "roleId"])
        for contacts in ([], [{"id": first["id"]}] * 1001):
            fault = await client.fault(SET_CONTACT_ROLES, input={"contacts": contacts, "roleId": role["id"]})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "contacts"])
    assert (await client.run(READ_CONTACT, id=first["id"]))["contact"] == first


async def test_holders_are_named_to_those_only_who_may_read_them(client: Client, client_with: ClientWith) -> None:
    role = await factories.contact_role(client)
    for number in range(2):
        await factories.contact(client, lastName=f"Holder {number}", roleId=role["id"])
    keeper = await client_with([Permission.CONTACT_ROLES_WRITE])
    async with nothing_recorded():
        bare = "mutation ($input: DeleteContactRoleInput!) { deleteContactRole(input: $input) { errors { message } } }"
        fault = await keeper.fault(bare, input={"id": role["id"]})
    assert fault["message"] == "2 contacts have this role. Name a role to replace it."


async def test_a_role_with_very_many_holders_is_not_replaced_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_roles, "BULK_LIMIT", 2)
    old, new = [await factories.contact_role(client) for _ in range(2)]
    holders = [await factories.contact(client, roleId=old["id"]) for _ in range(3)]
    sent = {"id": old["id"], "replacementId": new["id"]}
    async with nothing_recorded():
        fault = await client.fault(DELETE_CONTACT_ROLE, input=sent)
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "replacementId"])
    await client.change(SET_CONTACT_ROLES, input={"contacts": [{"id": holders[0]["id"]}], "roleId": None})
    await client.change(DELETE_CONTACT_ROLE, input=sent)


async def test_contact_roles_are_maintained_with_their_own_permission(client: Client, client_with: ClientWith) -> None:
    role = await factories.contact_role(client)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CONTACTS_WRITE, Permission.CUSTOMERS_WRITE])
    before = await last_seq()
    for document, sent in (
        (CREATE_CONTACT_ROLE, {"name": "Mine"}),
        (UPDATE_CONTACT_ROLE, {"id": role["id"], "name": "Mine"}),
        (DELETE_CONTACT_ROLE, {"id": role["id"]}),
    ):
        await clerk.run(document, input=sent)
        assert clerk.codes == ["FORBIDDEN"]
        assert "CONTACT_ROLES_WRITE" in clerk.errors[0]["message"]
    assert set(actions(await recorded(client, after=before))) == {"USER_PERMISSION_REFUSED"}
    contact = await factories.contact(clerk, roleId=role["id"])
    assert contact["role"]["id"] == role["id"]
