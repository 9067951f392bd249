"""Rules across rows hold when many requests come at once, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from audit import Change
from models import Permission, Row, hierarchy
from services import contacts
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CONTACT_ROLES,
    CREATE_CONTACT,
    CREATE_CONTACT_ROLE,
    CREATE_LOCATION,
    DELETE_CONTACT,
    DELETE_CONTACT_ROLE,
    DELETE_LOCATION,
    DELETE_WORKFLOW,
    READ_CONTACTS,
    READ_PREFERENCES,
    SET_CONTACT_ROLES,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
    UPDATE_PREFERENCES,
    UPDATE_SETTINGS,
    UPDATE_USER,
    USER,
    USER_ROLE,
)
from tests.resolvers.stubs import actions, last_seq, recorded

pytestmark = pytest.mark.anyio


async def together(client: Client, *requests: tuple[str, dict[str, Any]]) -> list[str | None]:
    """Send all at once, each as a request of its own: the error code of each, None for those that worked."""

    async def send(document: str, sent: dict[str, Any]) -> str | None:
        sender = Client(client.token)
        data = await sender.run(document, input=sent)
        assert sender.errors == []
        [payload] = data.values()
        return payload["errors"][0]["code"] if payload["errors"] else None

    return list(await asyncio.gather(*(send(document, sent) for document, sent in requests)))


async def people(client: Client, customer_id: str) -> list[dict[str, Any]]:
    data = await client.run(READ_CONTACTS, filter={"customerId": customer_id})
    return [edge["node"] for edge in data["contacts"]["edges"]]


async def test_32_roles_created_at_once_never_exceed_30(client: Client) -> None:
    before = await last_seq()
    # As many as one client may send at once.
    codes = await together(client, *((CREATE_CONTACT_ROLE, {"name": f"Role {number}"}) for number in range(32)))
    assert sorted(code or "" for code in codes) == [""] * 28 + ["LIMIT_REACHED"] * 4
    assert (await client.run(CONTACT_ROLES))["contactRoles"]["totalCount"] == 30
    assert actions(await recorded(client, after=before)) == ["CONTACT_ROLE_CREATED"] * 28


async def test_one_name_is_taken_once(client: Client) -> None:
    codes = await together(client, *((CREATE_CONTACT_ROLE, {"name": name}) for name in ("Billing", "BILLING") * 5))
    assert sorted(code or "" for code in codes) == [""] + ["TAKEN"] * 9
    customer = await factories.customer(client)
    sent = {"customerId": customer["id"], "name": "Mill"}
    codes = await together(client, *((CREATE_LOCATION, sent) for _ in range(6)))
    assert sorted(code or "" for code in codes) == [""] + ["TAKEN"] * 5


async def test_primary_moves_at_once_leave_exactly_one_primary(client: Client) -> None:
    customer = await factories.customer(client)
    made = [await factories.contact(client, customer["id"]) for _ in range(8)]
    codes = await together(client, *((UPDATE_CONTACT, {"id": each["id"], "primary": True}) for each in made))
    assert codes == [None] * 8
    assert sum(each["primary"] for each in await people(client, customer["id"])) == 1


async def test_first_contacts_made_at_once_agree_on_a_primary(client: Client) -> None:
    customer = await factories.customer(client)
    sent = [{"customerId": customer["id"], "lastName": f"P {number}", "primary": number > 3} for number in range(8)]
    assert await together(client, *((CREATE_CONTACT, each) for each in sent)) == [None] * 8
    assert sum(each["primary"] for each in await people(client, customer["id"])) == 1


async def test_contacts_that_go_at_once_leave_a_primary_while_anybody_is_active(client: Client) -> None:
    customer = await factories.customer(client)
    made = [await factories.contact(client, customer["id"]) for _ in range(6)]
    first, *others = made
    requests: list[tuple[str, dict[str, Any]]] = [
        (DELETE_CONTACT, {"id": first["id"], "successorId": each["id"]}) for each in others[:3]
    ]
    requests += [(UPDATE_CONTACT, {"id": each["id"], "active": False}) for each in others[:2]]
    requests += [(UPDATE_CONTACT, {"id": others[3]["id"], "primary": True})]
    codes = await together(client, *requests)
    allowed = {None, "NOT_FOUND", "SUCCESSOR_REQUIRED", "INVALID"}
    assert set(codes) <= allowed
    left = await people(client, customer["id"])
    assert sum(each["primary"] for each in left) == 1
    assert not [each for each in left if each["primary"] and not each["active"]]


async def test_a_role_is_deleted_or_given_but_not_both(client: Client) -> None:
    made = [await factories.contact(client) for _ in range(4)]
    for _ in range(4):
        role = await factories.contact_role(client)
        given, deleted, bulk = await together(
            client,
            (UPDATE_CONTACT, {"id": made[0]["id"], "roleId": role["id"]}),
            (DELETE_CONTACT_ROLE, {"id": role["id"]}),
            (SET_CONTACT_ROLES, {"contacts": [{"id": each["id"]} for each in made[1:]], "roleId": role["id"]}),
        )
        there = {
            edge["node"]["id"]: edge["node"] for edge in (await client.run(CONTACT_ROLES))["contactRoles"]["edges"]
        }
        if deleted is None:
            assert (given, bulk) == ("NOT_FOUND", "NOT_FOUND")
            assert role["id"] not in there
        else:
            assert deleted == "IN_USE"
            assert there[role["id"]]["contactCount"] == (given is None) + 3 * (bulk is None)


async def test_roles_that_replace_each_other_at_once_leave_one(client: Client) -> None:
    one, other = [await factories.contact_role(client) for _ in range(2)]
    holders = [await factories.contact(client, roleId=role["id"]) for role in (one, other) for _ in range(3)]
    codes = await together(
        client,
        (DELETE_CONTACT_ROLE, {"id": one["id"], "replacementId": other["id"]}),
        (DELETE_CONTACT_ROLE, {"id": other["id"], "replacementId": one["id"]}),
    )
    assert sorted(code or "" for code in codes) == ["", "NOT_FOUND"]
    [left] = {each["role"]["id"] for holder in holders for each in await people(client, holder["customer"]["id"])}
    assert left == (other["id"] if codes[0] is None else one["id"])


async def test_moves_that_would_make_a_circle_together_do_not_both_pass(client: Client) -> None:
    for _ in range(3):
        ring = [await factories.customer(client) for _ in range(4)]
        moves = [{"id": each["id"], "parentId": ring[index - 1]["id"]} for index, each in enumerate(ring)]
        codes = await together(client, *((UPDATE_CUSTOMER, sent) for sent in moves))
        assert sorted(code or "" for code in codes) == ["", "", "", "INVALID"]
        for each in ring:
            assert len(await hierarchy.with_ancestors(each["id"])) <= 4


async def test_first_overrides_at_once_agree_on_one_row(client: Client) -> None:
    customer = await factories.customer(client)
    sent = {"customerId": customer["id"], "expectedRevision": 0}
    values = ({"monthlyStatement": True}, {"customerPortal": False}, {"contactPolicy": "REQUIRED"})
    codes = await together(client, *((UPDATE_PREFERENCES, {**sent, **value}) for value in values))
    assert sorted(code or "" for code in codes) == ["", "CONFLICT", "CONFLICT"]
    codes = await together(client, *((UPDATE_PREFERENCES, {"customerId": customer["id"], **value}) for value in values))
    assert codes == [None, None, None]
    found = (await client.run(READ_PREFERENCES, id=customer["id"]))["customer"]["preferences"]
    assert found["revision"] == 3


async def test_a_workflow_is_deleted_or_chosen_but_not_both(client: Client) -> None:
    customers = [await factories.customer(client) for _ in range(3)]
    for _ in range(3):
        workflow, other = [await factories.reminder_workflow(client) for _ in range(2)]
        chosen = {"reminders": {"workflowId": workflow["id"]}}
        *codes, deleted, everywhere = await together(
            client,
            *((UPDATE_PREFERENCES, {"customerId": each["id"], **chosen}) for each in customers),
            (DELETE_WORKFLOW, {"id": workflow["id"], "replacementId": other["id"]}),
            (UPDATE_SETTINGS, chosen),
        )
        assert deleted is None
        assert {*codes, everywhere} <= {None, "NOT_FOUND"}


async def test_a_location_is_deleted_or_used_but_not_both(client: Client) -> None:
    customer = await factories.customer(client)
    for _ in range(4):
        location = await factories.location(client, customer["id"])
        used, deleted = await together(
            client,
            (CREATE_CONTACT, {"customerId": customer["id"], "lastName": "Q", "locationId": location["id"]}),
            (DELETE_LOCATION, {"id": location["id"]}),
        )
        assert (used, deleted) in {(None, "IN_USE"), ("NOT_FOUND", None)}


async def test_of_two_administrators_who_go_at_once_one_stays(client: Client, client_with: ClientWith) -> None:
    assert client.user is not None
    able = await client_with(Permission)
    roles = await client.run(f"{{ userRoles(first: 100) {{ edges {{ node {USER_ROLE} }} }} }}")
    [role] = [edge["node"] for edge in roles["userRoles"]["edges"] if edge["node"]["builtIn"] == "ADMINISTRATOR"]
    second = await factories.user(client, roleId=role["id"])
    codes = await together(
        able,
        (UPDATE_USER, {"id": client.user["id"], "active": False}),
        (UPDATE_USER, {"id": second["id"], "active": False}),
    )
    assert sorted(code or "" for code in codes) == ["", "LAST_ADMINISTRATOR"]
    users = await able.run(f"{{ users(first: 10) {{ edges {{ node {USER} }} }} }}")
    left = [edge["node"] for edge in users["users"]["edges"] if edge["node"]["active"]]
    assert len([user for user in left if user["role"]["builtIn"] == "ADMINISTRATOR"]) == 1


async def test_of_two_changes_of_the_same_revision_one_conflicts(client: Client) -> None:
    contact = await factories.contact(client)
    sent = {"id": contact["id"], "expectedRevision": 1}
    codes = await together(client, *((UPDATE_CONTACT, {**sent, "title": f"Title {number}"}) for number in range(8)))
    assert sorted(code or "" for code in codes) == [""] + ["CONFLICT"] * 7
    [after] = await people(client, contact["customer"]["id"])
    assert after["revision"] == 2


async def test_bulk_changes_in_opposite_order_all_succeed(client: Client) -> None:
    role = await factories.contact_role(client)
    customer = await factories.customer(client)
    ids = [(await factories.contact(client, customer["id"]))["id"] for _ in range(10)]
    before = await last_seq()
    requests = []
    for turn in range(6):
        ordered = ids if turn % 2 else ids[::-1]
        sent = {"contacts": [{"id": each} for each in ordered], "roleId": role["id"] if turn % 3 else None}
        requests.append((SET_CONTACT_ROLES, sent))
        requests.append((UPDATE_CONTACT, {"id": ids[turn], "primary": True}))
    assert await together(client, *requests) == [None] * 12
    assert sum(each["primary"] for each in await people(client, customer["id"])) == 1
    stubs = await recorded(client, after=before)
    revisions = {each["id"]: each["revision"] for each in await people(client, customer["id"])}
    assert {each: 1 + sum(stub["subject"]["id"] == each for stub in stubs) for each in ids} == revisions


async def test_a_deadlock_starts_the_mutation_over(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await factories.contact(client)
    attempts = []
    update = contacts.update

    async def twice(change: Change, *args: Any) -> Row:
        row = await update(change, *args)
        attempts.append(args)
        if len(attempts) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return row

    monkeypatch.setattr(contacts, "update", twice)
    sent = {"id": contact["id"], "expectedRevision": 1, "title": "CFO"}
    payload = await client.change(UPDATE_CONTACT, input=sent)
    assert len(attempts) == 3
    assert (payload["contact"]["title"], payload["contact"]["revision"]) == ("CFO", 2)
    assert len(payload["events"]) == 1
