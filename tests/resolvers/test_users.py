"""Users: nobody grants more than they have, one administrator stays, and passwords are theirs."""

from __future__ import annotations

from typing import Any

import pytest

from models import Permission
from models.identifier import new_id
from tests import factories
from tests.client import PASSWORD, Client, ClientWith, new_session, set_password
from tests.resolvers.documents import (
    CHANGE_PASSWORD,
    CREATE_USER,
    END_SESSIONS,
    UPDATE_USER,
    USER,
    USER_ROLE,
)
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

P = Permission
NEW_PASSWORD = "seven quiet herons walk 3 miles"
ROLES = f"{{ userRoles(first: 100) {{ edges {{ node {USER_ROLE} }} }} }}"
READ_USER = f"query ($id: ID!) {{ user(id: $id) {USER} }}"


async def built_in(client: Client, name: str) -> dict[str, Any]:
    edges = (await client.run(ROLES))["userRoles"]["edges"]
    [role] = [edge["node"] for edge in edges if edge["node"]["builtIn"] == name]
    assert isinstance(role, dict)
    return role


async def test_a_user_is_created_changed_and_disabled_with_an_event_each(client: Client) -> None:
    role = await built_in(client, "AR_CLERK")
    payload = await client.change(
        CREATE_USER,
        input={"name": " Uma  Clerk", "email": "Uma@EXAMPLE.com", "roleId": role["id"], "password": NEW_PASSWORD},
    )
    user = payload["user"]
    assert (user["name"], user["email"], user["active"], user["role"]["builtIn"]) == (
        "Uma Clerk",
        "Uma@example.com",
        True,
        "AR_CLERK",
    )
    [stub] = payload["events"]
    assert (stub["action"], stub["category"], stub["customerLabel"]) == ("USER_CREATED", "ACCESS", None)
    assert stub["sentence"] == "Ada Admin added user Uma Clerk."
    assert texts(stub)["roleId"] == (None, "AR clerk")
    [password] = [change for change in stub["changes"] if change["field"] == "passwordHash"]
    assert (password["before"], password["after"], password["withheld"]) == (None, None, "SECRET")
    assert NEW_PASSWORD not in str(payload)

    payload = await client.change(
        UPDATE_USER, input={"id": user["id"], "name": "Uma Newname", "roleId": None, "expectedRevision": 1}
    )
    assert (payload["user"]["revision"], payload["user"]["role"]) == (2, None)
    assert texts(payload["events"][0]) == {"name": ("Uma Clerk", "Uma Newname"), "roleId": ("AR clerk", None)}
    payload = await client.change(UPDATE_USER, input={"id": user["id"], "active": False})
    assert changes(payload["events"][0]) == {"active": (True, False)}
    async with nothing_recorded():
        payload = await client.change(UPDATE_USER, input={"id": user["id"], "active": False, "name": "Uma Newname"})
    assert payload["events"] == []


async def test_users_sign_in_with_addresses_of_their_own(client: Client) -> None:
    user = await factories.user(client, email="uma@example.com")
    other = await factories.user(client)
    async with nothing_recorded():
        fault = await client.fault(CREATE_USER, input={"name": "Uma", "email": "UMA@example.com"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "email"])
        fault = await client.fault(UPDATE_USER, input={"id": other["id"], "email": "Uma@example.com"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "email"])
        fault = await client.fault(CREATE_USER, input={"name": "Uma", "email": "uma"})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "email"])
    assert (await client.change(UPDATE_USER, input={"id": user["id"], "email": "UMA@example.com"}))["user"]


@pytest.mark.parametrize("name", ["name", "email", "active"])
async def test_nothing_that_a_user_must_have_is_cleared(client: Client, name: str) -> None:
    user = await factories.user(client)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_USER, input={"id": user["id"], name: None})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])


async def test_a_user_without_any_permission_sees_only_themself(client: Client, client_with: ClientWith) -> None:
    nobody = await client_with()
    assert nobody.user is not None
    data = await nobody.run("Viewer")
    assert data["viewer"]["permissions"] == []
    assert data["viewer"]["user"]["email"] == nobody.user["email"]
    node = "query ($id: ID!) { node(id: $id) { id ... on User { name } } }"
    assert (await nobody.run(node, id=nobody.user["id"]))["node"]["name"] == "Uwe User"
    customer = await factories.customer(client)
    assert client.user is not None
    before = await last_seq()
    for document, variables in (
        (node, {"id": client.user["id"]}),
        (node, {"id": customer["id"]}),
        (READ_USER, {"id": nobody.user["id"]}),
        ("{ customers { totalCount } }", {}),
        ("{ history { totalCount } }", {}),
    ):
        await nobody.run(document, **variables)
        assert nobody.codes == ["FORBIDDEN"]
    refusals = await recorded(client, after=before)
    assert set(actions(refusals)) == {"USER_PERMISSION_REFUSED"}
    assert refusals[-1]["sentence"] == "Uwe User was refused what they have no permission for."


async def test_nobody_gives_more_than_they_have(client: Client, client_with: ClientWith) -> None:
    administrator = await built_in(client, "ADMINISTRATOR")
    reading = await factories.user_role(client, P.USERS_READ)
    somebody = await factories.user(client)
    maintainer = await client_with([P.USERS_READ, P.USERS_WRITE, P.CUSTOMERS_READ])
    assert maintainer.user is not None
    assert client.user is not None
    before = await last_seq()
    for document, sent in (
        (CREATE_USER, {"name": "Puppet", "email": "p@example.com", "roleId": administrator["id"]}),
        (UPDATE_USER, {"id": somebody["id"], "roleId": administrator["id"]}),
        (UPDATE_USER, {"id": maintainer.user["id"], "roleId": administrator["id"]}),
    ):
        await maintainer.run(document, input=sent)
        assert maintainer.codes == ["FORBIDDEN"]
        assert "CUSTOMERS_WRITE" in maintainer.errors[0]["message"]
    assert set(actions(await recorded(client, after=before))) == {"USER_PERMISSION_REFUSED"}
    payload = await maintainer.change(UPDATE_USER, input={"id": somebody["id"], "roleId": reading["id"]})
    assert payload["user"]["role"]["permissions"] == ["USERS_READ"]


async def test_nobody_takes_over_somebody_who_may_do_more(client: Client, client_with: ClientWith) -> None:
    maintainer = await client_with([P.USERS_READ, P.USERS_WRITE])
    assert client.user is not None
    before = await last_seq()
    for sent in ({"email": "mine@example.com"}, {"password": NEW_PASSWORD}, {"active": False}, {"roleId": None}):
        await maintainer.run(UPDATE_USER, input={"id": client.user["id"], **sent})
        assert maintainer.codes == ["FORBIDDEN"]
        assert "You cannot manage permissions that you do not have" in maintainer.errors[0]["message"]
    await maintainer.run(END_SESSIONS, input={"userId": client.user["id"]})
    assert maintainer.codes == ["FORBIDDEN"]
    assert "You cannot manage permissions that you do not have" in maintainer.errors[0]["message"]
    assert (await client.run(READ_USER, id=client.user["id"]))["user"]["revision"] == 1
    assert set(actions(await recorded(client, after=before))) == {"USER_PERMISSION_REFUSED"}


async def test_the_last_administrator_stays(client: Client) -> None:
    assert client.user is not None
    await set_password(client.user["id"])
    own_id = client.user["id"]
    client = Client(await new_session(own_id))
    administrator = await built_in(client, "ADMINISTRATOR")
    # Somebody who is disabled or cannot sign in takes nobody's place.
    disabled = await factories.user(client, roleId=administrator["id"], password=NEW_PASSWORD)
    await client.change(UPDATE_USER, input={"id": disabled["id"], "active": False})
    second = await factories.user(client, roleId=administrator["id"])
    role = await factories.user_role(client, *P)
    for sent, field in (
        ({"active": False}, "active"),
        ({"roleId": None}, "roleId"),
        ({"roleId": role["id"]}, "roleId"),
    ):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_USER, input={"id": own_id, **sent})
        assert (fault["code"], fault["field"]) == ("LAST_ADMINISTRATOR", ["input", field])
        assert fault["message"] == (
            "This is the last active administrator who can sign in: make another user administrator first."
        )
    await client.change(UPDATE_USER, input={"id": own_id, "name": "Ada Still"})
    await client.change(UPDATE_USER, input={"id": second["id"], "password": NEW_PASSWORD})
    await client.change(UPDATE_USER, input={"id": own_id, "roleId": role["id"]})


async def test_disabling_a_user_ends_their_sessions(client: Client, client_with: ClientWith) -> None:
    user = await client_with([P.CUSTOMERS_READ])
    assert user.user is not None
    assert (await user.run("Viewer"))["viewer"]["permissions"] == ["CUSTOMERS_READ"]
    await client.change(UPDATE_USER, input={"id": user.user["id"], "active": False})
    await user.run("Viewer")
    assert user.codes == ["UNAUTHENTICATED"]
    await client.change(UPDATE_USER, input={"id": user.user["id"], "active": True})
    await user.run("Viewer")
    assert user.codes == ["UNAUTHENTICATED"]


async def test_sessions_of_a_user_are_ended_with_one_event(client: Client, client_with: ClientWith) -> None:
    user = await client_with()
    assert user.user is not None
    second = Client(await new_session(user.user["id"]))
    payload = await client.change(END_SESSIONS, input={"userId": user.user["id"]})
    assert payload["ended"] == 2
    [stub] = payload["events"]
    assert (stub["action"], stub["subject"]["id"]) == ("USER_SESSIONS_REVOKED", user.user["id"])
    assert stub["sentence"] == "Ada Admin ended the sessions of Uwe User."
    for each in (user, second):
        await each.run("Viewer")
        assert each.codes == ["UNAUTHENTICATED"]
    async with nothing_recorded():
        assert (await client.change(END_SESSIONS, input={"userId": user.user["id"]}))["ended"] == 0
        fault = await client.fault(END_SESSIONS, input={"userId": new_id("usr")})
    assert (fault["code"], fault["field"]) == ("NOT_FOUND", ["input", "userId"])


async def test_what_a_user_may_do_follows_their_role_at_once(client: Client, client_with: ClientWith) -> None:
    user = await client_with([P.CUSTOMERS_READ])
    assert user.user is not None
    await user.run("{ customers { totalCount } }")
    assert user.errors == []
    await client.change(UPDATE_USER, input={"id": user.user["id"], "roleId": None})
    await user.run("{ customers { totalCount } }")
    assert user.codes == ["FORBIDDEN"]


async def test_weak_passwords_are_refused_and_never_repeated(client: Client) -> None:
    own = {"name": "Uma Clerk", "email": "uma.clerk@example.com"}
    user = await factories.user(client, **own)
    for password in (
        "short",
        "fourteen chars",
        "password1234567",
        "qwertyuiopasdfghjkl",
        "x" * 129,
        "uma.clerk@example.com",
    ):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_USER, input={"id": user["id"], "password": password})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "password"])
            assert password not in fault["message"]
            fault = await client.fault(CREATE_USER, input={**own, "password": password})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "password"])


async def test_a_new_password_of_a_user_ends_all_their_sessions(client: Client, client_with: ClientWith) -> None:
    user = await client_with()
    assert user.user is not None
    payload = await client.change(UPDATE_USER, input={"id": user.user["id"], "password": NEW_PASSWORD})
    [stub] = payload["events"]
    assert [(change["field"], change["withheld"]) for change in stub["changes"]] == [("passwordHash", "SECRET")]
    assert stub["sentence"] == "Ada Admin changed user Uwe User: password hash."
    await user.run("Viewer")
    assert user.codes == ["UNAUTHENTICATED"]
    signed_in = await Client().run("SignIn", email=user.user["email"], password=NEW_PASSWORD)
    assert signed_in["signIn"]["viewer"]["actor"]["id"] == user.user["id"]


async def test_ones_own_password_is_changed_and_other_sessions_end(client: Client, client_with: ClientWith) -> None:
    user = await client_with()
    assert user.user is not None
    await set_password(user.user["id"])
    here, elsewhere = [Client(await new_session(user.user["id"])) for _ in range(2)]
    before = await last_seq()
    fault = await here.fault(CHANGE_PASSWORD, input={"currentPassword": "something else", "password": NEW_PASSWORD})
    assert (fault["code"], fault["field"]) == ("BAD_CREDENTIALS", ["input", "currentPassword"])
    assert actions(await recorded(client, after=before)) == ["USER_SIGN_IN_FAILED"]
    async with nothing_recorded():
        fault = await here.fault(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": "too short"})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "password"])
    payload = await here.change(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": NEW_PASSWORD})
    [stub] = payload["events"]
    assert (stub["action"], stub["actor"]["id"]) == ("USER_UPDATED", user.user["id"])
    assert [change["withheld"] for change in stub["changes"]] == ["SECRET"]
    await elsewhere.run("Viewer")
    assert elsewhere.codes == ["UNAUTHENTICATED"]
    await here.run("Viewer")
    assert here.errors == []


async def test_guesses_at_ones_own_password_are_throttled(client: Client, client_with: ClientWith) -> None:
    user = await client_with()
    assert user.user is not None
    await set_password(user.user["id"])
    guesser = Client(await new_session(user.user["id"]))
    for _ in range(5):
        fault = await guesser.fault(CHANGE_PASSWORD, input={"currentPassword": "guess", "password": NEW_PASSWORD})
        assert fault["code"] == "BAD_CREDENTIALS"
    fault = await guesser.fault(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": NEW_PASSWORD})
    assert (fault["code"], fault["retryAfter"]) == ("THROTTLED", 1)
