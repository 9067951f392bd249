"""Purposes and assignments: where contacts are used, who may be assigned, and what happens when they go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from audit import SYSTEM, Change, Request, transact
from models import Permission
from services import merging
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    ASSIGN_CONTACT,
    CREATE_PURPOSE,
    DELETE_CONTACT,
    DELETE_PURPOSE,
    READ_CONTACTS,
    UNASSIGN_CONTACT,
    UPDATE_CONTACT,
    UPDATE_PURPOSE,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded, recorded

pytestmark = pytest.mark.anyio

ROOF = {"type": "job", "id": "J-7", "label": "Roof repair"}
PURPOSES = "{ purposes(first: 100) { edges { node { id name wellKnown single assignmentCount } } } }"
ASSIGNMENTS = """query ($id: ID!, $filter: AssignmentFilter) { node(id: $id) {
  ... on Customer { assignments(filter: $filter) { totalCount edges { node { id contact { id } } } } }
  ... on Contact { assignments(filter: $filter) {
    edges { node { id purpose { name } reference { type id label } customer { id } } } } }
} }"""


async def well_known(client: Client, name: str) -> str:
    """The id of a well-known purpose."""
    data = await client.run(PURPOSES)
    [found] = [edge["node"]["id"] for edge in data["purposes"]["edges"] if edge["node"]["wellKnown"] == name]
    assert isinstance(found, str)
    return found


async def assignments(client: Client, identifier: str, **filter: Any) -> list[dict[str, Any]]:
    """The assignments of a customer or a contact, oldest first."""
    data = await client.run(ASSIGNMENTS, id=identifier, filter=filter)
    assert client.errors == []
    return [edge["node"] for edge in data["node"]["assignments"]["edges"]]


async def two_contacts(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """The primary contact and another one of the customer Krume."""
    customer = await factories.customer(client, name="Krume")
    first = await factories.contact(client, customer["id"], lastName="Quinn", firstName="Eva")
    return first, await factories.contact(client, customer["id"], lastName="Bahn", firstName="Otto")


async def test_purposes_exist_from_the_start(client: Client) -> None:
    found = [edge["node"] for edge in (await client.run(PURPOSES))["purposes"]["edges"]]
    assert [(one["name"], one["wellKnown"], one["single"]) for one in found] == [
        ("Job project manager", "JOB_PROJECT_MANAGER", True),
        ("Main accounts payable contact", "ACCOUNTS_PAYABLE_CONTACT", True),
        ("Service request caller", "SERVICE_REQUEST_CALLER", False),
    ]
    [stub] = await recorded(client, subjectId=found[0]["id"])
    assert (stub["action"], stub["category"]) == ("PURPOSE_CREATED", "SETTINGS")
    assert stub["sentence"] == "Counterfoil added purpose Job project manager."


async def test_a_purpose_of_ones_own_is_made_renamed_and_deleted(client: Client, client_with: ClientWith) -> None:
    keeper = await client_with([Permission.SETTINGS_WRITE, Permission.CUSTOMERS_READ], name="Sam Settings")
    payload = await keeper.change(CREATE_PURPOSE, input={"name": " Site  safety "})
    purpose = payload["purpose"]
    assert (purpose["name"], purpose["single"], purpose["wellKnown"]) == ("Site safety", False, None)
    payload = await keeper.change(UPDATE_PURPOSE, input={"id": purpose["id"], "name": "Site access"})
    assert payload["events"][0]["sentence"] == (
        "Sam Settings changed purpose Site access: name from “Site safety” to “Site access”."
    )
    payload = await keeper.change(DELETE_PURPOSE, input={"id": purpose["id"], "expectedRevision": 2})
    assert payload["deletedId"] == purpose["id"]
    assert actions(payload["events"]) == ["PURPOSE_DELETED"]


async def test_a_well_known_purpose_survives_renaming_and_cannot_be_deleted(client: Client) -> None:
    identifier = await well_known(client, "ACCOUNTS_PAYABLE_CONTACT")
    await client.change(UPDATE_PURPOSE, input={"id": identifier, "name": "Who pays"})
    assert await well_known(client, "ACCOUNTS_PAYABLE_CONTACT") == identifier
    async with nothing_recorded():
        error = await client.fault(DELETE_PURPOSE, input={"id": identifier})
    assert (error["code"], error["field"]) == ("READ_ONLY", ["input", "id"])


async def test_bad_purposes_are_refused(client: Client) -> None:
    purpose = await factories.purpose(client, name="Site safety")
    await factories.assignment(client, purpose_id=purpose["id"])
    async with nothing_recorded():
        for document, sent, code, field in (
            (CREATE_PURPOSE, {"name": "SITE SAFETY"}, "TAKEN", "name"),
            (CREATE_PURPOSE, {"name": " "}, "INVALID", "name"),
            (CREATE_PURPOSE, {"name": "x" * 101}, "INVALID", "name"),
            (UPDATE_PURPOSE, {"id": purpose["id"], "name": None}, "INVALID", "name"),
            (UPDATE_PURPOSE, {"id": purpose["id"], "expectedRevision": 7}, "CONFLICT", "expectedRevision"),
            (UPDATE_PURPOSE, {"id": purpose["id"], "name": "Job project manager"}, "TAKEN", "name"),
            (DELETE_PURPOSE, {"id": purpose["id"]}, "IN_USE", "id"),
            (DELETE_PURPOSE, {"id": "pur_01jxxxxxxxfxxbzzzzzzzzzzzz"}, "NOT_FOUND", "id"),
            (DELETE_PURPOSE, {"id": "x"}, "INVALID", "id"),
        ):
            error = await client.fault(document, input=sent)
            assert (error["code"], error["field"]) == (code, ["input", field]), sent


async def test_there_are_at_most_100_purposes(client: Client) -> None:
    for _ in range(97):
        await factories.purpose(client)
    async with nothing_recorded():
        assert (await client.fault(CREATE_PURPOSE, input={"name": "One more"}))["code"] == "LIMIT_REACHED"


async def test_a_contact_shows_what_it_is_assigned_for(client: Client) -> None:
    eva, otto = await two_contacts(client)
    payable = await well_known(client, "ACCOUNTS_PAYABLE_CONTACT")
    manager = await well_known(client, "JOB_PROJECT_MANAGER")
    first = await client.change(ASSIGN_CONTACT, input={"contactId": eva["id"], "purposeId": payable})
    second = await client.change(
        ASSIGN_CONTACT, input={"contactId": eva["id"], "purposeId": manager, "reference": ROOF}
    )
    assert [stub["sentence"] for stub in (*first["events"], *second["events"])] == [
        "Ada Admin assigned Eva Quinn as Main accounts payable contact at Krume.",
        "Ada Admin assigned Eva Quinn as Job project manager (Roof repair) at Krume.",
    ]
    assert changes(second["events"][0])["contactId"] == (None, eva["id"])
    found = await assignments(client, eva["id"])
    assert [(one["purpose"]["name"], one["reference"]) for one in found] == [
        ("Main accounts payable contact", None),
        ("Job project manager", ROOF),
    ]
    assert await assignments(client, otto["id"]) == []
    customer_id = eva["customer"]["id"]
    for filter in ({"wellKnown": "ACCOUNTS_PAYABLE_CONTACT"}, {"purposeId": payable}):
        [one] = await assignments(client, customer_id, **filter)
        assert one["contact"]["id"] == eva["id"]
    assert len(await assignments(client, customer_id)) == 2
    data = await client.run(READ_CONTACTS, filter={"purposeId": payable})
    assert [edge["node"]["id"] for edge in data["contacts"]["edges"]] == [eva["id"]]
    told = await recorded(client, customerId=customer_id, categories=["CONTACT"])
    assert actions(told)[-2:] == ["ASSIGNMENT_CREATED", "ASSIGNMENT_CREATED"]


async def test_of_a_single_purpose_the_holder_is_named_or_replaced(client: Client) -> None:
    eva, otto = await two_contacts(client)
    manager = await well_known(client, "JOB_PROJECT_MANAGER")
    sent = {"purposeId": manager, "reference": ROOF}
    held = (await client.change(ASSIGN_CONTACT, input={"contactId": eva["id"], **sent}))["assignment"]
    async with nothing_recorded():
        error = await client.fault(ASSIGN_CONTACT, input={"contactId": otto["id"], **sent})
        assert (error["code"], error["field"]) == ("TAKEN", ["input", "replace"])
        assert "Eva Quinn" in error["message"]
        again = await client.fault(ASSIGN_CONTACT, input={"contactId": eva["id"], **sent, "replace": True})
        assert (again["code"], again["field"]) == ("TAKEN", ["input", "contactId"])
    # Another job, and another customer, have managers of their own.
    wall = {**sent, "reference": {**ROOF, "id": "J-8", "label": "Wall"}}
    await client.change(ASSIGN_CONTACT, input={"contactId": otto["id"], **wall})
    await factories.assignment(client, purpose_id=manager, reference=ROOF)
    payload = await client.change(ASSIGN_CONTACT, input={"contactId": otto["id"], **sent, "replace": True})
    assert (payload["assignment"]["id"], payload["assignment"]["revision"]) == (held["id"], 2)
    assert payload["assignment"]["contact"] == {"id": otto["id"]}
    [stub] = payload["events"]
    assert stub["sentence"] == "Ada Admin handed an assignment of Eva Quinn over to Otto Bahn (Roof repair) at Krume."
    assert await assignments(client, eva["id"]) == []


async def test_several_contacts_may_be_assigned_for_other_purposes(client: Client) -> None:
    eva, otto = await two_contacts(client)
    caller = await well_known(client, "SERVICE_REQUEST_CALLER")
    for contact in (eva, otto):
        await client.change(ASSIGN_CONTACT, input={"contactId": contact["id"], "purposeId": caller})
    assert len(await assignments(client, eva["customer"]["id"], purposeId=caller)) == 2


async def test_bad_assignments_are_refused(client: Client) -> None:
    eva, otto = await two_contacts(client)
    await client.change(UPDATE_CONTACT, input={"id": otto["id"], "active": False})
    purpose = await factories.purpose(client)
    nobody, nothing = "con_01jxxxxxxxfxxbzzzzzzzzzzzz", "pur_01jxxxxxxxfxxbzzzzzzzzzzzz"
    bad: list[tuple[str, str, dict[str, Any] | None, str, list[str]]] = [
        (otto["id"], purpose["id"], None, "INVALID", ["contactId"]),
        (nobody, purpose["id"], None, "NOT_FOUND", ["contactId"]),
        (eva["id"], nothing, None, "NOT_FOUND", ["purposeId"]),
        (purpose["id"], purpose["id"], None, "INVALID", ["contactId"]),
        (eva["id"], eva["id"], None, "INVALID", ["purposeId"]),
        (eva["id"], purpose["id"], {**ROOF, "id": " "}, "INVALID", ["reference", "id"]),
        (eva["id"], purpose["id"], {**ROOF, "label": "x" * 201}, "INVALID", ["reference", "label"]),
        (eva["id"], purpose["id"], {**ROOF, "type": "a\nb"}, "INVALID", ["reference", "type"]),
    ]
    async with nothing_recorded():
        for contact_id, purpose_id, reference, code, field in bad:
            sent = {"contactId": contact_id, "purposeId": purpose_id, "reference": reference}
            error = await client.fault(ASSIGN_CONTACT, input=sent)
            assert (error["code"], error["field"]) == (code, ["input", *field]), sent
    held = await factories.assignment(client, eva["id"], purpose["id"])
    async with nothing_recorded():
        error = await client.fault(ASSIGN_CONTACT, input={"contactId": eva["id"], "purposeId": purpose["id"]})
        assert (error["code"], error["field"]) == ("TAKEN", ["input", "contactId"])
        error = await client.fault(UNASSIGN_CONTACT, input={"id": held["id"], "expectedRevision": 9})
        assert error["code"] == "CONFLICT"


async def test_an_assignment_ends(client: Client) -> None:
    eva, _ = await two_contacts(client)
    held = await factories.assignment(client, eva["id"], await well_known(client, "ACCOUNTS_PAYABLE_CONTACT"))
    payload = await client.change(UNASSIGN_CONTACT, input={"id": held["id"], "expectedRevision": 1})
    assert payload["deletedId"] == held["id"]
    assert payload["events"][0]["sentence"] == (
        "Ada Admin ended the assignment of Eva Quinn as Main accounts payable contact at Krume."
    )
    assert await assignments(client, eva["id"]) == []
    assert (await client.fault(UNASSIGN_CONTACT, input={"id": held["id"]}))["code"] == "NOT_FOUND"


async def test_whoever_may_maintain_location_contacts_assigns_those_only(
    client: Client, client_with: ClientWith
) -> None:
    eva, otto = await two_contacts(client)
    place = await factories.location(client, eva["customer"]["id"])
    await client.change(UPDATE_CONTACT, input={"id": otto["id"], "locationId": place["id"]})
    purpose = await factories.purpose(client, single=True)
    editor = await client_with([Permission.LOCATION_CONTACTS_WRITE, Permission.CUSTOMERS_READ])
    sent = {"purposeId": purpose["id"]}
    assert (await editor.run(ASSIGN_CONTACT, input={"contactId": eva["id"], **sent}))["assignContact"] is None
    assert editor.codes == ["FORBIDDEN"]
    held = await factories.assignment(client, eva["id"], purpose["id"])
    # To replace somebody is to change what they are assigned for, too.
    await editor.run(ASSIGN_CONTACT, input={"contactId": otto["id"], **sent, "replace": True})
    assert editor.codes == ["FORBIDDEN"]
    await editor.run(UNASSIGN_CONTACT, input={"id": held["id"]})
    assert editor.codes == ["FORBIDDEN"]
    await client.change(UNASSIGN_CONTACT, input={"id": held["id"]})
    bare = ASSIGN_CONTACT
    payload = await client.change(bare, input={"contactId": otto["id"], **sent})
    assert payload["assignment"]["contact"] == {"id": otto["id"]}


async def test_a_contact_in_use_is_not_deleted_and_its_uses_are_named(client: Client) -> None:
    _, otto = await two_contacts(client)
    manager = await well_known(client, "JOB_PROJECT_MANAGER")
    await factories.assignment(client, otto["id"], await well_known(client, "ACCOUNTS_PAYABLE_CONTACT"))
    for number in range(6):
        job = {"type": "job", "id": str(number), "label": f"Job {number}"}
        await factories.assignment(client, otto["id"], manager, reference=job)
    async with nothing_recorded():
        error = await client.fault(DELETE_CONTACT, input={"id": otto["id"]})
    assert (error["code"], error["field"]) == ("IN_USE", ["input", "successorId"])
    assert error["message"] == (
        "This contact is assigned: Main accounts payable contact, Job project manager (Job 0), "
        "Job project manager (Job 1), Job project manager (Job 2), Job project manager (Job 3) and 2 more. "
        "Name the active contact of this customer that takes over."
    )


async def test_who_may_not_read_customers_is_told_only_the_number_of_uses(
    client: Client, client_with: ClientWith
) -> None:
    _, otto = await two_contacts(client)
    await factories.assignment(client, otto["id"])
    writer = await client_with([Permission.CONTACTS_WRITE])
    document = "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { errors { code message } } }"
    error = await writer.fault(document, input={"id": otto["id"]})
    assert error["code"] == "IN_USE"
    assert error["message"].startswith("This contact is assigned: 1 assignments.")


async def test_the_successor_takes_over_what_a_deleted_contact_was_assigned_for(client: Client) -> None:
    eva, otto = await two_contacts(client)
    payable = await well_known(client, "ACCOUNTS_PAYABLE_CONTACT")
    caller = await well_known(client, "SERVICE_REQUEST_CALLER")
    moved = await factories.assignment(client, eva["id"], payable)
    for contact in (eva, otto):
        await factories.assignment(client, contact["id"], caller)
    payload = await client.change(DELETE_CONTACT, input={"id": eva["id"], "successorId": otto["id"]})
    assert sorted(actions(payload["events"])) == [
        "ASSIGNMENT_DELETED",
        "ASSIGNMENT_UPDATED",
        "CONTACT_DELETED",
        "CONTACT_UPDATED",
        "CONTACT_UPDATED",
    ]
    found = await assignments(client, otto["id"])
    assert {one["purpose"]["name"] for one in found} == {"Main accounts payable contact", "Service request caller"}
    assert moved["id"] in {one["id"] for one in found}


async def test_only_an_active_contact_of_the_same_customer_takes_over(client: Client) -> None:
    eva, otto = await two_contacts(client)
    gone = await factories.contact(client, eva["customer"]["id"])
    await client.change(UPDATE_CONTACT, input={"id": gone["id"], "active": False})
    elsewhere = await factories.contact(client)
    await factories.assignment(client, otto["id"])
    async with nothing_recorded():
        for successor in (gone, elsewhere, otto, {"id": "con_01jxxxxxxxfxxbzzzzzzzzzzzz"}, {"id": "x"}):
            error = await client.fault(DELETE_CONTACT, input={"id": otto["id"], "successorId": successor["id"]})
            assert (error["code"], error["field"]) == ("INVALID", ["input", "successorId"])


async def test_an_inactive_contact_keeps_its_assignments(client: Client) -> None:
    _, otto = await two_contacts(client)
    held = await factories.assignment(client, otto["id"])
    await client.change(UPDATE_CONTACT, input={"id": otto["id"], "active": False})
    assert [one["id"] for one in await assignments(client, otto["id"])] == [held["id"]]


async def test_a_filter_wants_the_id_of_a_purpose(client: Client) -> None:
    await client.run(READ_CONTACTS, filter={"purposeId": "x"})
    assert client.codes == ["BAD_ID"]
    customer = await factories.customer(client)
    await client.run(ASSIGNMENTS, id=customer["id"], filter={"purposeId": customer["id"]})
    assert client.codes == ["BAD_ID"]


async def test_an_assignment_that_waited_for_a_merge_names_the_contact(client: Client, dialect: str) -> None:
    eva, _ = await two_contacts(client)
    survivor = await factories.customer(client)
    sent = {"contactId": eva["id"], "purposeId": await well_known(client, "SERVICE_REQUEST_CALLER")}
    locked = asyncio.Event()

    async def merge_slowly(change: Change) -> None:
        await merging.merge(change, {"id": survivor["id"], "merged_id": eva["customer"]["id"]})
        locked.set()
        await asyncio.sleep(0.3)

    async def assign_meanwhile() -> dict[str, Any]:
        await locked.wait()
        return await client.run(ASSIGN_CONTACT, input=sent)

    _, answer = await asyncio.gather(transact(SYSTEM, Request.new(), merge_slowly), assign_meanwhile())
    errors = [(error["code"], error["field"]) for error in answer["assignContact"]["errors"]]
    # On SQLite the contact is read only after the merge.
    assert errors == ([] if dialect == "sqlite" else [("READ_ONLY", ["input", "contactId"])])
