"""Who may see and do what, tried for every field of the root: refused before anything runs, and not in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from models import Permission, clock
from schema.access import AccessRule
from schema.plan import access_of
from tests import factories
from tests.client import Client, ClientWith, observed
from tests.schema.documents import MUTATION, QUERY, smallest_document

pytestmark = pytest.mark.anyio

# What a request reads to know who sends it, and what the refusal itself writes.
SENDER = {"session", "user", "user_role"}
REFUSAL = {"throttle", "event", "event_detail"}


def calls(*rules: AccessRule) -> Iterator[tuple[str, str]]:
    """For each field of the root with one of the rules: its coordinate, and the smallest document that calls it."""
    for kind, operation in ((QUERY, "query"), (MUTATION, "mutation")):
        for name, field in kind.fields.items():
            access = access_of(kind, name)
            if access is not None and access.rule in rules:
                yield f"{kind.name}.{name}", smallest_document(operation, name, field)


GUARDED = dict(calls(AccessRule.PERMISSION))
SIGNED_IN = dict(calls(AccessRule.SIGNED_IN))
REFUSALS = "{ history(first: 100, filter: { actions: [USER_PERMISSION_REFUSED, API_KEY_PERMISSION_REFUSED] })"
REFUSALS += " { edges { node { actor { id } subject { id } reason requestId sentence } } } }"


def tables(statements: list[str]) -> set[str]:
    found = (re.findall(r'\b(?:FROM|JOIN|INTO|(?<!DO )UPDATE)\s+"?(\w+)', sql) for sql in statements)
    return {name for names in found for name in names} - {"unnest"}


async def refusals(client: Client, actor: Client) -> list[dict[str, Any]]:
    """The events about what the actor was refused, oldest first."""
    assert actor.user is not None
    data = await client.run(REFUSALS)
    found = [edge["node"] for edge in reversed(data["history"]["edges"])]
    return [event for event in found if event["subject"]["id"] == actor.user["id"]]


def test_the_root_has_fields_of_both_kinds() -> None:
    assert len(GUARDED) > 30
    assert set(SIGNED_IN) == {
        "Query.viewer",
        "Query.node",
        "Query.nodes",
        "Mutation.signOut",
        "Mutation.changePassword",
    }


async def test_nobody_gets_anything_without_signing_in(database: models.Database) -> None:
    anonymous = Client()
    with observed(database) as seen:
        for name, document in {**GUARDED, **SIGNED_IN}.items():
            assert await anonymous.run(document) == {}, name
            assert anonymous.codes == ["UNAUTHENTICATED"], name
    assert seen == []


async def test_without_permissions_every_field_that_needs_one_is_refused_with_an_event(
    client: Client, client_with: ClientWith, database: models.Database
) -> None:
    for name, document in GUARDED.items():
        actor = await client_with()
        with observed(database) as seen:
            assert await actor.run(document) == {}, name
        assert actor.codes == ["FORBIDDEN"], name
        assert actor.errors[0]["message"].startswith(f"{name} needs the permission "), name
        assert tables(seen) <= SENDER | REFUSAL, name
        [event] = await refusals(client, actor)
        assert event["reason"] == actor.errors[0]["message"], name
        assert event["requestId"] == actor.response.headers["x-request-id"], name


async def test_one_refused_field_refuses_the_whole_request(client: Client, client_with: ClientWith) -> None:
    actor = await client_with([Permission.CUSTOMERS_WRITE])
    await actor.run(
        """mutation { createCustomer(input: { name: "Half" }) { customer { id } errors { code } }
        createNote(input: { subjectId: "x", body: "y" }) { errors { code } } }"""
    )
    # The payload's customer needs a permission to read, and the note one to write: nothing ran.
    assert actor.codes == ["FORBIDDEN"]
    assert (await client.run("{ customers { totalCount } }"))["customers"]["totalCount"] == 0


async def test_refusals_are_told_five_times_then_once_for_each_step(client: Client, client_with: ClientWith) -> None:
    actor = await client_with()
    now = datetime.now(UTC)
    told = []
    for seconds in (0, 0, 0, 0, 0, 0.5, 0.9, 1.1, 1.2, 2.9, 3.2, 3.3):
        with clock.set_to(lambda at=now + timedelta(seconds=seconds): at):  # type: ignore[misc]
            await actor.run("{ customers { totalCount } }")
        assert actor.codes == ["FORBIDDEN"]
        told.append(len(await refusals(client, actor)))
    assert told == [1, 2, 3, 4, 5, 5, 5, 6, 6, 6, 7, 7]


async def test_an_api_key_is_refused_like_a_user(client: Client) -> None:
    key, machine = await factories.machine(client, Permission.NOTES_READ)
    assert await machine.run("{ customers { totalCount } }") == {}
    assert machine.codes == ["FORBIDDEN"]
    data = await client.run(REFUSALS)
    [event] = [edge["node"] for edge in data["history"]["edges"]]
    assert event["actor"]["id"] == event["subject"]["id"] == key["id"]


async def test_somebody_without_any_permission_sees_only_themself(client: Client, client_with: ClientWith) -> None:
    actor = await client_with(name="Otto Only")
    assert actor.user is not None
    assert client.user is not None
    viewer = (await actor.run("{ viewer { permissions user { id name email role { name } } } }"))["viewer"]
    assert viewer["user"] == {
        "id": actor.user["id"],
        "name": "Otto Only",
        "email": actor.user["email"],
        "role": None,
    }
    assert viewer["permissions"] == []
    one = "query ($id: ID!) { node(id: $id) { id ... on User { name } } }"
    assert (await actor.run(one, id=actor.user["id"]))["node"]["name"] == "Otto Only"
    contact = await factories.contact(client)
    role = await factories.contact_role(client)
    others = [client.user["id"], contact["id"], contact["customer"]["id"], role["id"], "evt_1"]
    for identifier in others:
        assert await actor.run(one, id=identifier) == {"node": None}
        assert actor.codes == ["FORBIDDEN"]
        both = [actor.user["id"], identifier]
        assert await actor.run("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=both) == {}
        assert actor.codes == ["FORBIDDEN"]
    # These are refusals like any other: five are told, then one for each step.
    assert [event["reason"] for event in await refusals(client, actor)] == [
        "node: A User needs the permission USERS_READ.",
        "nodes: A User needs the permission USERS_READ.",
        "node: A Contact needs the permission CUSTOMERS_READ.",
        "nodes: A Contact needs the permission CUSTOMERS_READ.",
        "node: A Customer needs the permission CUSTOMERS_READ.",
    ]
    await actor.run("{ viewer { user { role { userCount } } } }")
    assert actor.codes == ["FORBIDDEN"]


async def test_an_id_that_nobody_has_is_refused_like_one_that_somebody_has(client_with: ClientWith) -> None:
    actor = await client_with()
    texts = set()
    for identifier in ("con_00000000000000000000000000", "con_01jxxxxxxxfxxbzzzzzzzzzzzz"):
        await actor.run("query ($id: ID!) { node(id: $id) { id } }", id=identifier)
        texts.add(str(actor.errors))
    assert len(texts) == 1


async def test_a_fragment_on_another_type_needs_its_permission_too(client_with: ClientWith) -> None:
    actor = await client_with([Permission.NOTES_READ])
    assert actor.user is not None
    await actor.run("query ($id: ID!) { node(id: $id) { id ... on Customer { name } } }", id=actor.user["id"])
    assert actor.codes == ["FORBIDDEN"]
    assert "Customer.name" in actor.errors[0]["message"]


HISTORY = """{ history(first: 100) { edges { node {
  category actor { name } subject { id label node { id } } customerLabel sentence reason
  changes { field before after beforeText afterText withheld }
} } } }"""


async def read_history(reader: Client) -> list[dict[str, Any]]:
    """All events but those about the reader, who may always see what is about themself."""
    assert reader.user is not None
    data = await reader.run(HISTORY)
    assert reader.errors == []
    events = [edge["node"] for edge in data["history"]["edges"]]
    return [event for event in events if event["subject"]["id"] != reader.user["id"]]


async def test_history_withholds_what_a_reader_may_not_see_today(client: Client, client_with: ClientWith) -> None:
    contact = await factories.contact(client, lastName="Lund")
    why = {"Counterfoil-Reason": "Ticket 4711"}
    await client.send("UpdateContact", {"id": contact["id"], "title": "Chief accountant"}, why)
    await factories.note(client, contact["id"], body="Pays late.")
    await factories.user(client, name="Nora New", email="secret.address@example.com")
    customer = (await client.run("{ customers { edges { node { name } } } }"))["customers"]["edges"][0]["node"]["name"]
    secrets = ("Lund", "Chief accountant", "Pays late", "Nora New", "secret.address", "Ticket 4711", customer)
    reader = await client_with([Permission.AUDIT_READ], name="Rita Reader")
    events = await read_history(reader)
    everything = {"PROFILE", "CONTACT", "NOTE", "ACCESS", "COMMUNICATION_SETTINGS", "SETTINGS"}
    assert {event["category"] for event in events} == everything
    for event in events:
        assert event["subject"]["node"] is None
        assert event["subject"]["label"] == "(withheld)"
        assert event["actor"]["name"] in ("Ada Admin", "Counterfoil")
        assert (event["customerLabel"], event["reason"]) == (None, None)
        for change in event["changes"]:
            shown = {change[name] for name in ("before", "after", "beforeText", "afterText")}
            assert (shown, change["withheld"]) in (({None}, "PERMISSION"), ({None}, "SECRET"))
    assert [secret for secret in secrets if secret in str(events)] == []
    # The administrator sees all of it.
    assert [secret for secret in secrets if secret not in str(await read_history(client))] == []


async def test_what_is_about_oneself_is_never_withheld(client_with: ClientWith) -> None:
    reader = await client_with([Permission.AUDIT_READ], name="Rita Reader")
    assert reader.user is not None
    text = "query ($id: ID!) { history(filter: { subjectId: $id }) { edges { node { sentence subject { label } } } } }"
    [edge] = (await reader.run(text, id=reader.user["id"]))["history"]["edges"]
    assert edge["node"] == {"sentence": "Counterfoil added user Rita Reader.", "subject": {"label": "Rita Reader"}}


@pytest.mark.parametrize(
    ("permission", "seen"),
    [
        (Permission.CUSTOMERS_READ, {"PROFILE", "CONTACT", "COMMUNICATION_SETTINGS", "SETTINGS"}),
        (Permission.NOTES_READ, {"NOTE"}),
        (Permission.USERS_READ, {"ACCESS"}),
    ],
)
async def test_each_permission_opens_its_categories_and_no_other(
    client: Client, client_with: ClientWith, permission: Permission, seen: set[str]
) -> None:
    contact = await factories.contact(client)
    await factories.note(client, contact["id"])
    events = await read_history(await client_with([Permission.AUDIT_READ, permission]))
    assert {event["category"] for event in events if event["subject"]["node"]} == seen
    assert {event["category"] for event in events if event["subject"]["label"] != "(withheld)"} == seen
    assert {event["category"] for event in events if "PERMISSION" not in str(event["changes"])} == seen


async def test_passwords_and_tokens_are_secret_from_everybody(client: Client) -> None:
    await client.change(
        """mutation { createUser(input: { name: "P", email: "p@example.com", password: "nine quiet llamas knitting" })
        { user { id } errors { code } } }"""
    )
    _, machine = await factories.machine(client, Permission.NOTES_READ)
    await client.run("{ history { edges { node { changes { field before after withheld } } } } }")
    assert '"field":"passwordHash","before":null,"after":null,"withheld":"SECRET"' in client.response.text
    assert '"field":"tokenHash","before":null,"after":null,"withheld":"SECRET"' in client.response.text
    assert "argon2" not in client.response.text
    assert str(machine.token) not in client.response.text
