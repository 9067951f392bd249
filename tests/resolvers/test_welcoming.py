"""Welcome and set-password emails: who gets them, and that their tokens stand nowhere but in the email that leaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import models
from models import CommunicationKind, Permission, clock
from services import mail, password_links
from services.mail import Mail
from services.tokens import PASSWORD_PREFIX
from tests import factories
from tests.client import Client, ClientWith
from tests.counterfoil.log_lines import told
from tests.resolvers.communications import EMAIL, deliveries, disable, waiting
from tests.resolvers.documents import (
    SEND_PASSWORD_LINK,
    SET_CONTACT_PASSWORD,
    UPDATE_CONTACT,
    UPDATE_CUSTOMER,
    UPDATE_PREFERENCES,
    UPDATE_SETTINGS,
    mutation,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded

pytestmark = pytest.mark.anyio

WELCOME = "welcome { id kind suppressed templateName sentBy { name } }"
CREATE = mutation("createContact", f"contact {{ id email }} {WELCOME}")
CONVERT = mutation("convertToContact", f"contact {{ id email }} {WELCOME}")
GRACE = {"firstName": "Grace", "lastName": "Hopper", "methods": [EMAIL]}


async def created(client: Client, **fields: Any) -> dict[str, Any]:
    """The payload of creating Grace at Krume."""
    customer = await factories.customer(client, name="Krume")
    return await client.change(CREATE, input={"customerId": customer["id"], **GRACE, **fields})


async def test_a_new_contact_is_welcomed_with_a_link(client: Client) -> None:
    payload = await created(client)
    welcome = payload["welcome"]
    assert (welcome["kind"], welcome["suppressed"], welcome["templateName"]) == ("WELCOME", None, "Welcome")
    [row] = await deliveries(welcome)
    assert (row["email"], row["contact_id"]) == ("grace@example.com", payload["contact"]["id"])
    assert (row["chosen"], row["reasons"], row["status"]) == ("RULE", ["ABOUT_THE_CONTACT"], "QUEUED")
    link = str(password_links.address())
    assert link.endswith(f"/set-password#{password_links.PLACEHOLDER}")
    assert link in row["text"]
    assert f'href="{link}"' in row["html"]
    assert await waiting() == [row["message_id"]]
    assert actions(payload["events"]) == ["CONTACT_CREATED", "COMMUNICATION_CREATED", "DELIVERY_CREATED"]
    assert payload["events"][1]["sentence"] == f"Ada Admin sent the welcome email “{row['subject_line']}” to Krume."


async def test_a_converted_contact_is_welcomed_unless_somebody_says_no(client: Client) -> None:
    customer = await factories.customer(client, email="eva@example.com")
    sent = {"customerId": customer["id"], "methodIds": [customer["methods"][0]["id"]], "keep": True}
    payload = await client.change(CONVERT, input={**sent, "doNotSendWelcome": True})
    assert (payload["welcome"], actions(payload["events"])) == (None, ["CONTACT_CREATED"])
    payload = await client.change(CONVERT, input=sent)
    assert payload["welcome"]["kind"] == "WELCOME"
    assert [row["email"] for row in await deliveries(payload["welcome"])] == ["eva@example.com"]


async def test_who_may_not_use_the_portal_is_not_welcomed(client: Client) -> None:
    without: list[dict[str, Any]] = [{"doNotSendWelcome": True}, {"methods": []}]
    for fields in without:
        payload = await created(client, **fields)
        assert (payload["welcome"], actions(payload["events"])) == (None, ["CONTACT_CREATED"])
    closed = await factories.customer(client)
    await client.change(UPDATE_PREFERENCES, input={"customerId": closed["id"], "customerPortal": False})
    inactive = await factories.customer(client)
    await client.change(UPDATE_CUSTOMER, input={"id": inactive["id"], "active": False})
    for customer in (closed, inactive):
        payload = await client.change(CREATE, input={"customerId": customer["id"], **GRACE})
        assert (payload["welcome"], actions(payload["events"])) == (None, ["CONTACT_CREATED"])
        async with nothing_recorded():
            fault = await client.fault(SEND_PASSWORD_LINK, input={"contactId": payload["contact"]["id"]})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", "contactId"])
        assert "Grace Hopper may not use the portal: " in fault["message"]
    await client.change(UPDATE_SETTINGS, input={"portalAccess": "COMMUNICATION_CONTACTS"})
    assert (await created(client))["welcome"] is None
    role = await factories.contact_role(client, communication=True)
    assert (await created(client, roleId=role["id"]))["welcome"] is not None
    assert len(await waiting()) == 1


async def test_what_is_synced_is_never_welcomed(client: Client) -> None:
    customer = await factories.synced_customer()
    await factories.synced_contact(customer["id"])
    assert await waiting() == []


async def test_disabled_templates_send_no_link_and_the_log_says_so(client: Client) -> None:
    for kind in (CommunicationKind.WELCOME, CommunicationKind.SET_PASSWORD):
        await disable(kind)
    payload = await created(client)
    assert payload["welcome"]["suppressed"] == "TEMPLATE_DISABLED"
    assert payload["events"][1]["sentence"].endswith("its template is disabled.")
    sent = {"contactId": payload["contact"]["id"]}
    communication = (await client.change(SEND_PASSWORD_LINK, input=sent))["communication"]
    assert (communication["kind"], communication["suppressed"]) == ("SET_PASSWORD", "TEMPLATE_DISABLED")
    assert await waiting() == []


async def test_a_link_is_sent_to_a_contact_who_needs_another(client: Client) -> None:
    contact = (await created(client, doNotSendWelcome=True))["contact"]
    payload = await client.change(SEND_PASSWORD_LINK, input={"contactId": contact["id"]})
    [row] = await deliveries(payload["communication"])
    assert (row["chosen"], row["reasons"]) == ("MANUAL", ["ABOUT_THE_CONTACT"])
    assert str(password_links.address()) in row["text"]
    assert actions(payload["events"]) == ["COMMUNICATION_CREATED", "DELIVERY_CREATED"]
    label = "Grace Hopper <grace@example.com>"
    assert payload["events"][1]["sentence"] == f"Ada Admin queued an email to {label} at Krume, chosen by hand."


@contextmanager
def portal_at(url: str | None) -> Iterator[None]:
    """This process sends mail with links that begin so."""
    bound = mail.current()
    mail.bind(Mail(portal_url=url))
    try:
        yield
    finally:
        mail.bind(bound)


async def test_where_nobody_said_where_the_portal_is_no_link_is_sent(client: Client) -> None:
    with portal_at(None):
        payload = await created(client)
        assert payload["welcome"]["suppressed"] == "NO_PORTAL_ADDRESS"
        assert payload["events"][1]["sentence"].endswith("to Krume: nobody has said where the portal is.")
        [row] = await deliveries(payload["welcome"])
        assert (row["status"], "127.0.0.1" in row["text"] + row["html"]) == ("SUPPRESSED", False)
        async with nothing_recorded():
            fault = await client.fault(SEND_PASSWORD_LINK, input={"contactId": payload["contact"]["id"]})
        assert (fault["code"], fault["field"]) == ("INVALID", None)
        assert "COUNTERFOIL_PORTAL_URL" in fault["message"]
        await disable(CommunicationKind.WELCOME)
        assert (await created(client))["welcome"]["suppressed"] == "TEMPLATE_DISABLED"
    assert await waiting() == []


async def test_links_begin_where_the_portal_is(client: Client) -> None:
    with portal_at("https://portal.example.com/pay/"):
        [row] = await deliveries((await created(client))["welcome"])
    assert f"https://portal.example.com/pay/set-password#{password_links.PLACEHOLDER}" in row["text"]


async def test_links_are_sent_by_who_may_maintain_the_contact(client: Client, client_with: ClientWith) -> None:
    contact = await factories.recipient(client)
    place = await factories.location(client, contact["customer"]["id"])
    there = await factories.recipient(client, contact["customer"]["id"], locationId=place["id"])
    bare = "mutation ($input: SendPasswordLinkInput!) { sendPasswordLink(input: $input) { errors { code } } }"
    for permission, whom, codes in (
        (Permission.COMMUNICATIONS_SEND, contact, ["FORBIDDEN"]),
        (Permission.LOCATION_CONTACTS_WRITE, contact, ["FORBIDDEN"]),
        (Permission.LOCATION_CONTACTS_WRITE, there, []),
        (Permission.CONTACTS_WRITE, contact, []),
    ):
        somebody = await client_with([permission])
        await somebody.run(bare, input={"contactId": whom["id"]})
        assert somebody.codes == codes, permission
    assert len(await waiting()) == 2


async def test_tokens_stand_nowhere_but_in_the_email_that_leaves(client: Client) -> None:
    with told() as entries:
        payload = await created(client)
        [row] = await deliveries(payload["welcome"])
        tokens = [str(await password_links.issue(row["contact_id"], row["email"], clock.now())) for _ in range(2)]
        for token in tokens:
            assert token.startswith(PASSWORD_PREFIX)
            body = password_links.filled(row["text"], token)
            assert token in body
            assert password_links.PLACEHOLDER not in body
        answers = []
        somebody = Client()
        for token, password in ((tokens[0], "short"), (tokens[1], "seven purple wheelbarrows"), (tokens[0], "x" * 20)):
            answers.append(await somebody.run(SET_CONTACT_PASSWORD, input={"token": token, "password": password}))
        await client.change(UPDATE_CONTACT, input={"id": row["contact_id"], "title": "Admiral"})
    assert [len(answer["setContactPassword"]["errors"]) for answer in answers] == [1, 0, 1]
    found = {"answers": answers, "logs": entries, "database": await dump()}
    assert "grace@example.com" in repr(found["database"])
    for token in tokens:
        assert [name for name, value in found.items() if token in repr(value)] == []
        assert [name for name, value in found.items() if token.removeprefix(PASSWORD_PREFIX) in repr(value)] == []
    assert [name for name, value in found.items() if "purple wheelbarrows" in repr(value)] == []
    assert changes(payload["events"][2])["text"][1] == row["text"]


async def dump() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables; disclosures decoded, so that nothing hides in them."""
    database = models.current()
    sql = (
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        if database.dialect == "postgres"
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    tables = [row["name"] for row in await database.fetch(sql)]
    assert {"event_detail", "delivery", "outbox_message", "password_link"} <= set(tables)
    rows = {name: await database.fetch(f'SELECT * FROM "{name}"') for name in tables}
    rows["disclosed"] = [
        {"disclosed": disclosed(one)} for row in rows["event_detail"] for one in json.loads(row["disclosures"])
    ]
    return rows


def disclosed(disclosure: str) -> str:
    return base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)).decode()
