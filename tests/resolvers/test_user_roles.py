"""User roles: named sets of permissions, some of them built in."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from tests import factories
from tests.client import Client, ClientWith
from tests.resolvers.documents import CREATE_USER_ROLE, DELETE_USER_ROLE, UPDATE_USER, UPDATE_USER_ROLE, USER_ROLE
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

P = Permission
ROLES = f"{{ userRoles(first: 100) {{ edges {{ node {USER_ROLE} }} }} }}"


async def built_in(client: Client) -> dict[str, dict[str, Any]]:
    edges = (await client.run(ROLES))["userRoles"]["edges"]
    return {edge["node"]["builtIn"]: edge["node"] for edge in edges if edge["node"]["builtIn"]}


async def test_a_role_is_created_changed_and_deleted_with_an_event_each(client: Client) -> None:
    sent = {"name": "Reader", "permissions": ["NOTES_READ", "CUSTOMERS_READ", "NOTES_READ"]}
    payload = await client.change(CREATE_USER_ROLE, input=sent)
    role = payload["userRole"]
    assert (role["permissions"], role["builtIn"], role["userCount"]) == (["CUSTOMERS_READ", "NOTES_READ"], None, 0)
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("USER_ROLE_CREATED", "ACCESS")
    assert stub["sentence"] == "Ada Admin added user role Reader."
    payload = await client.change(
        UPDATE_USER_ROLE,
        input={"id": role["id"], "permissions": ["CUSTOMERS_READ", "HISTORY_READ"], "expectedRevision": 1},
    )
    [stub] = payload["events"]
    assert changes(stub) == {
        "permissions": (["CUSTOMERS_READ", "NOTES_READ"], ["CUSTOMERS_READ", "HISTORY_READ"]),
    }
    assert texts(stub) == {"permissions": ("CUSTOMERS_READ, NOTES_READ", "CUSTOMERS_READ, HISTORY_READ")}
    async with nothing_recorded():
        again = {"id": role["id"], "permissions": ["HISTORY_READ", "CUSTOMERS_READ"], "name": "Reader"}
        await client.change(UPDATE_USER_ROLE, input=again)
    payload = await client.change(DELETE_USER_ROLE, input={"id": role["id"], "expectedRevision": 2})
    assert (payload["deletedId"], actions(payload["events"])) == (role["id"], ["USER_ROLE_DELETED"])


async def test_built_in_roles_stay_as_they_are(client: Client) -> None:
    roles = await built_in(client)
    assert set(roles) == {
        "ADMINISTRATOR",
        "AR_MANAGER",
        "AR_CLERK",
        "LOCATION_CONTACT_EDITOR",
        "ORDER_DESK",
        "AUDITOR",
    }
    assert roles["ADMINISTRATOR"]["permissions"] == [permission.value for permission in P]
    assert "CUSTOMERS_WRITE" not in roles["AR_CLERK"]["permissions"]
    assert "CONTACTS_WRITE" in roles["AR_CLERK"]["permissions"]
    assert not [name for name in roles["AUDITOR"]["permissions"] if "WRITE" in name]
    assert "AUDIT_READ" in roles["AUDITOR"]["permissions"]
    async with nothing_recorded():
        for role in roles.values():
            fault = await client.fault(UPDATE_USER_ROLE, input={"id": role["id"], "name": "Mine"})
            assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "id"])
        fault = await client.fault(DELETE_USER_ROLE, input={"id": roles["AUDITOR"]["id"]})
        assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "id"])


async def test_names_of_user_roles_are_unique_whatever_their_case(client: Client) -> None:
    role = await factories.user_role(client, name="Reader")
    async with nothing_recorded():
        for name in ("READER", " reader ", "administrator"):
            fault = await client.fault(CREATE_USER_ROLE, input={"name": name, "permissions": []})
            assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
        for name in ("name", "permissions"):
            fault = await client.fault(UPDATE_USER_ROLE, input={"id": role["id"], name: None})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])


async def test_nobody_makes_or_changes_a_role_beyond_what_they_may_do(client: Client, client_with: ClientWith) -> None:
    powerful = await factories.user_role(client, P.CUSTOMERS_WRITE, P.USERS_READ)
    weak = await factories.user_role(client, P.USERS_READ)
    maintainer = await client_with([P.USERS_READ, P.USERS_WRITE])
    before = await last_seq()
    for document, sent in (
        (CREATE_USER_ROLE, {"name": "Mine", "permissions": ["USERS_READ", "AUDIT_READ"]}),
        (UPDATE_USER_ROLE, {"id": weak["id"], "permissions": ["CUSTOMERS_WRITE"]}),
        (UPDATE_USER_ROLE, {"id": powerful["id"], "name": "Mine"}),
        (UPDATE_USER_ROLE, {"id": powerful["id"], "permissions": []}),
        (DELETE_USER_ROLE, {"id": powerful["id"]}),
    ):
        await maintainer.run(document, input=sent)
        assert maintainer.codes == ["FORBIDDEN"]
        assert "You cannot manage permissions that you do not have" in maintainer.errors[0]["message"]
    assert set(actions(await recorded(client, after=before))) == {"USER_PERMISSION_REFUSED"}
    sent = {"name": "Mine", "permissions": ["USERS_READ", "USERS_WRITE"]}
    assert (await maintainer.change(CREATE_USER_ROLE, input=sent))["userRole"]["permissions"] == sent["permissions"]


async def test_a_role_that_users_have_is_not_deleted_and_names_them(client: Client) -> None:
    role = await factories.user_role(client, P.CUSTOMERS_READ)
    user = await factories.user(client, name="Uma Clerk", roleId=role["id"])
    async with nothing_recorded():
        fault = await client.fault(DELETE_USER_ROLE, input={"id": role["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "id"])
    assert "Uma Clerk" in fault["message"]
    await client.change(UPDATE_USER, input={"id": user["id"], "roleId": None})
    await client.change(DELETE_USER_ROLE, input={"id": role["id"]})


async def test_a_change_of_a_role_reaches_its_users_at_once(client: Client, client_with: ClientWith) -> None:
    user = await client_with([P.CUSTOMERS_READ])
    assert user.user is not None
    sent = {"id": user.user["role_id"], "permissions": ["NOTES_READ"]}
    await client.change(UPDATE_USER_ROLE, input=sent)
    assert (await user.run("Viewer"))["viewer"]["permissions"] == ["NOTES_READ"]
