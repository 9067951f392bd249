"""Templates in the API: one of each kind from the start, others beside it, checked when saved, previewed as sent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from audit import SYSTEM, Change, Request, transact
from models import CommunicationKind, Fault, Permission, ReminderWorkflow, clock, preference_values
from models.identifier import new_id
from models.template import TEMPLATE_LIMIT
from services import defaults
from services.templates import chosen, maintaining, standard
from services.templates.standards import sources
from tests import factories
from tests.audit.rows import by_ada
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CREATE_TEMPLATE,
    DELETE_TEMPLATE,
    PREVIEW_TEMPLATE,
    RESET_TEMPLATE,
    TEMPLATES,
    UPDATE_TEMPLATE,
)
from tests.resolvers.stubs import actions, changes, last_seq, nothing_recorded, recorded

pytestmark = pytest.mark.anyio


async def listed(client: Client, **wanted: Any) -> list[dict[str, Any]]:
    found = (await client.run(TEMPLATES, filter=wanted))["templates"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def standard_of(client: Client, kind: str) -> dict[str, Any]:
    [template] = await listed(client, kind=kind, standard=True)
    return template


async def previewed(client: Client, **sent: Any) -> dict[str, Any]:
    shown = (await client.run(PREVIEW_TEMPLATE, input=sent))["previewTemplate"]
    assert client.errors == []
    assert isinstance(shown, dict)
    return shown


async def test_each_kind_has_a_standard_template_that_stays_as_it_is_made(client: Client) -> None:
    templates = await listed(client, standard=True)
    assert sorted(template["kind"] for template in templates) == sorted(kind.value for kind in CommunicationKind)
    assert all(template["enabled"] and template["revision"] == 1 for template in templates)
    invoice = await standard_of(client, "INVOICE")
    assert invoice["subjectSource"] == "Invoice {{ sales_document.number }} from {{ company.name }}"
    stubs = await recorded(client, actions=["TEMPLATE_CREATED"])
    assert (len(stubs), {stub["actor"]["name"] for stub in stubs}) == (12, {"Counterfoil"})
    await client.change(UPDATE_TEMPLATE, input={"id": invoice["id"], "subjectSource": "Mine", "name": "My invoice"})
    async with nothing_recorded():
        assert await defaults.ensure() == []
    assert (await standard_of(client, "INVOICE"))["subjectSource"] == "Mine"


async def test_a_template_is_a_copy_of_the_standard_one_or_a_text_of_its_own(client: Client) -> None:
    invoice = await standard_of(client, "INVOICE")
    payload = await client.change(CREATE_TEMPLATE, input={"kind": "INVOICE", "name": " Short ", "enabled": False})
    copy = payload["template"]
    for name in ("subjectSource", "textSource", "htmlSource", "kind"):
        assert copy[name] == invoice[name]
    assert (copy["name"], copy["standard"], copy["enabled"], copy["revision"]) == ("Short", False, False, 1)
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("TEMPLATE_CREATED", "COMMUNICATION_SETTINGS")
    assert stub["sentence"] == "Ada Admin added template Short."
    assert changes(stub)["textSource"] == (None, invoice["textSource"])
    own = await factories.template(client, subjectSource=" Hello ", textSource="a\r\n{{ today }}\n", htmlSource=None)
    assert (own["subjectSource"], own["textSource"], own["htmlSource"]) == ("Hello", "a\n{{ today }}", None)
    assert [one["id"] for one in await listed(client, kind="INVOICE", standard=False, enabled=False)] == [copy["id"]]
    assert [one["name"] for one in await listed(client, kind="INVOICE")] == ["Invoice", "Short", own["name"]]
    assert await client.run("query ($id: ID!) { template(id: $id) { name } }", id=own["id"]) == {
        "template": {"name": own["name"]}
    }
    async with nothing_recorded():
        fault = await client.fault(CREATE_TEMPLATE, input={"kind": "INVOICE", "name": "sHORT"})
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
    await client.change(CREATE_TEMPLATE, input={"kind": "REMINDER", "name": "Short"})


async def test_history_shows_what_changed_in_a_template(client: Client) -> None:
    template = await factories.template(client, name="Short", textSource="One", htmlSource="<p>One</p>")
    sent = {"id": template["id"], "expectedRevision": 1, "textSource": "Two", "htmlSource": None}
    [stub] = (await client.change(UPDATE_TEMPLATE, input=sent))["events"]
    assert changes(stub) == {"textSource": ("One", "Two"), "htmlSource": ("<p>One</p>", None)}
    assert stub["sentence"] == (
        "Ada Admin changed template Short: text source from “One” to “Two”; html source “<p>One</p>” removed."
    )
    [stub] = (await client.change(UPDATE_TEMPLATE, input={"id": template["id"], "enabled": False}))["events"]
    assert changes(stub) == {"enabled": (True, False)}
    payload = await client.change(UPDATE_TEMPLATE, input={"id": template["id"], "textSource": " Two\n"})
    assert (payload["template"]["revision"], payload["events"]) == (3, [])
    payload = await client.change(RESET_TEMPLATE, input={"id": template["id"], "expectedRevision": 3})
    own = sources(CommunicationKind.INVOICE)
    assert (payload["template"]["textSource"], payload["template"]["htmlSource"]) == (
        own["text_source"],
        own["html_source"],
    )
    assert (payload["template"]["enabled"], len(payload["events"])) == (False, 1)
    assert (await client.change(RESET_TEMPLATE, input={"id": template["id"]}))["events"] == []
    await client.change(DELETE_TEMPLATE, input={"id": template["id"], "expectedRevision": 4})
    stubs = await recorded(client, subjectId=template["id"])
    assert actions(stubs) == ["TEMPLATE_CREATED", *["TEMPLATE_UPDATED"] * 3, "TEMPLATE_DELETED"]
    assert changes(stubs[-1])["htmlSource"] == (own["html_source"], None)


async def test_what_is_wrong_with_a_template_is_said_when_it_is_saved(client: Client) -> None:
    template = await factories.template(client)
    for field, source, message in (
        ("subjectSource", "{{ custmer.name }}", "Line 1: There is no variable custmer. Did you mean customer?"),
        ("textSource", "Hello\n{{ ''.__class__ }}", "Line 2: What stands before .__class__ has no parts."),
        ("textSource", "{{ customer.nmae }}", "Line 1: There is no part nmae. Did you mean name?"),
        ("textSource", "{% for i in range(10**9) %}x{% endfor %}", "Line 1: Templates cannot call functions"),
        ("htmlSource", "<p>{{ config }}</p>", "Line 1: There is no variable config."),
        ("htmlSource", "<p>x</p>\n<script>alert(1)</script>", "Line 2: <script> may not stand in an email."),
        ("htmlSource", "<a href='javascript:alert(1)'>x</a>", "Line 1: Write a whole address"),
        ("htmlSource", "<p><b>x</p>", "Line 1: This is the end of <p>: close <b> before."),
        ("subjectSource", "x\r\nBcc: eve@example.com", "Write this on one line"),
        ("subjectSource", None, "An email needs a subject"),
        ("textSource", None, "An email needs a text"),
        ("textSource", "x" * 102_401, "Shorten this to 102,400 octets"),
        ("textSource", "a\u0007b", "Remove control characters"),
        ("name", "x" * 101, "Shorten this to at most 100 characters"),
        ("name", "a\nb", "Write this on one line"),
        ("enabled", None, "Enabled cannot be null."),
    ):
        for document, sent in (
            (CREATE_TEMPLATE, {"kind": "INVOICE", "name": "New"}),
            (UPDATE_TEMPLATE, {"id": template["id"]}),
        ):
            async with nothing_recorded():
                fault = await client.fault(document, input={**sent, field: source})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", field]), (field, source)
            assert fault["message"].startswith(message)
    async with nothing_recorded():
        fault = await client.fault(UPDATE_TEMPLATE, input={"id": template["id"], "name": None})
        assert (fault["code"], fault["field"], fault["message"]) == (
            "INVALID",
            ["input", "name"],
            "Name cannot be null.",
        )
        await client.run(UPDATE_TEMPLATE, input={"id": template["id"], "textSource": "a\x00b"})
        assert client.codes == ["BAD_REQUEST"], client.errors
        sent = {"id": template["id"], "htmlSource": "x" * (5 * 1024 * 1024)}
        response = await client.http.post("/graphql", json={"query": UPDATE_TEMPLATE, "variables": {"input": sent}})
        assert response.status_code == 413


async def test_emails_that_bring_a_link_have_it_in_any_case(client: Client) -> None:
    either = "{% if contact.first_name %}Ada: {{ link }}{% elif today %}{{ link }}{% else %}{{ link }}{% endif %}"
    for kind in ("WELCOME", "SET_PASSWORD"):
        template = await factories.template(client, kind=kind, textSource=either, htmlSource="<p>{{ link }}</p>")
        for source in (
            "Hello {{ today }}",
            "{% if contact.first_name %}{{ link }}{% endif %}",
            "{% if contact.first_name %}{{ link }}{% else %}x{% endif %}",
            "{% if contact.first_name %}{{ link }}{% elif today %}x{% else %}{{ link }}{% endif %}",
            "{% if link %}x{% endif %}",
            "{{ link | upper }}",
        ):
            for field, body in (("textSource", source), ("htmlSource", f"<p>{source}</p>")):
                async with nothing_recorded():
                    fault = await client.fault(UPDATE_TEMPLATE, input={"id": template["id"], field: body})
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", field]), body
                assert fault["message"].startswith("This email brings a link: write {{ link }}")
        as_address = {"id": template["id"], "htmlSource": '<p><a href="{{ link }}">Set a password</a></p>'}
        await client.change(UPDATE_TEMPLATE, input=as_address)
        await client.change(UPDATE_TEMPLATE, input={"id": template["id"], "htmlSource": None, "subjectSource": "Hello"})
    await factories.template(client, kind="INVOICE", textSource="No link")


async def test_there_are_a_hundred_templates_at_most(client: Client) -> None:
    async def fill(change: Change) -> None:
        for number in range(TEMPLATE_LIMIT - len(CommunicationKind) - 1):
            await maintaining.create(change, {"kind": CommunicationKind.TASK, "name": f"Task {number}"})

    await by_ada(fill)
    last = await factories.template(client)
    async with nothing_recorded():
        fault = await client.fault(CREATE_TEMPLATE, input={"kind": "INVOICE", "name": "One more"})
    assert (fault["code"], fault["field"]) == ("LIMIT_REACHED", None)
    await client.change(DELETE_TEMPLATE, input={"id": last["id"]})
    await client.change(CREATE_TEMPLATE, input={"kind": "INVOICE", "name": "One more"})


async def test_stale_and_unknown_templates(client: Client) -> None:
    template = await factories.template(client)
    for document, sent in ((UPDATE_TEMPLATE, {"name": "x"}), (RESET_TEMPLATE, {}), (DELETE_TEMPLATE, {})):
        async with nothing_recorded():
            fault = await client.fault(document, input={"id": template["id"], "expectedRevision": 7, **sent})
            assert (fault["code"], fault["currentRevision"]) == ("CONFLICT", 1)
            for identifier, code in ((new_id("tpl"), "NOT_FOUND"), (new_id("cus"), "INVALID"), ("x", "INVALID")):
                fault = await client.fault(document, input={"id": identifier, **sent})
                assert (fault["code"], fault["field"]) == (code, ["input", "id"])


async def test_standard_templates_and_those_that_workflows_name_stay(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = await standard_of(client, "INVOICE")
    template = await factories.template(client, kind="WORKFLOW_REMINDER")
    workflow = await factories.reminder_workflow(client, name="Gentle")
    await factories.reminder_workflow(client)
    async with nothing_recorded():
        fault = await client.fault(DELETE_TEMPLATE, input={"id": invoice["id"]})
    assert (fault["code"], fault["field"]) == ("READ_ONLY", ["input", "id"])
    assert fault["message"] == "This is the standard template of its kind, and stays: disable it, or reset it."

    async def steps(*templates: str | None) -> None:
        """Steps as workflows have them once each names what it sends."""
        made = [{"days": day, "template_id": one, "attach_statement": False} for day, one in enumerate(templates)]

        async def work(change: Change) -> None:
            row = await change.get(ReminderWorkflow, workflow["id"])
            await change.update(ReminderWorkflow, row, {"steps": made or [1]})

        await transact(SYSTEM, Request.new(), work)

    with monkeypatch.context() as patched:
        patched.setattr(preference_values, "check_steps", lambda _: None)
        await steps(None, template["id"])
        async with nothing_recorded():
            fault = await client.fault(DELETE_TEMPLATE, input={"id": template["id"]})
        assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "id"])
        assert fault["message"] == "These reminder workflows use it: Gentle. Give them another template first."
        await steps(None)
        await client.change(DELETE_TEMPLATE, input={"id": template["id"]})
        await steps()


async def test_templates_are_read_and_changed_with_their_permissions(client: Client, client_with: ClientWith) -> None:
    template = await factories.template(client)
    reader = await client_with([Permission.COMMUNICATIONS_READ])
    assert len(await listed(reader)) == 13
    assert (await previewed(reader, kind="INVOICE"))["problems"] == []
    writer = await client_with([Permission.SETTINGS_WRITE])
    await writer.run(TEMPLATES)
    assert writer.codes == ["FORBIDDEN"]
    for document, sent in (
        (CREATE_TEMPLATE, {"kind": "TASK", "name": "x"}),
        (UPDATE_TEMPLATE, {"id": template["id"], "name": "x"}),
        (RESET_TEMPLATE, {"id": template["id"]}),
        (DELETE_TEMPLATE, {"id": template["id"]}),
    ):
        await reader.run(document, input=sent)
        assert reader.codes == ["FORBIDDEN"]
        assert "SETTINGS_WRITE" in reader.errors[0]["message"]


async def test_a_preview_shows_examples_of_what_is_not_given(client: Client) -> None:
    shown = await previewed(client, kind="INVOICE")
    assert shown["subject"] == "Invoice 1007 from Accounts receivable"
    assert shown["text"].startswith("Dear Ada Example,\n")
    assert "Amount: EUR 1,234.50" in shown["text"]
    assert "<p>Dear Ada Example,</p>" in shown["html"]
    for kind in CommunicationKind:
        assert (await previewed(client, kind=kind.value))["problems"] == []
    template = await factories.template(client, htmlSource=None, subjectSource="{{ customer.name }}", enabled=False)
    assert await previewed(client, templateId=template["id"], textSource="Hi\r\n{{ contact.first_name }}") == {
        "subject": "Harbor Bakery",
        "text": "Hi\nAda\n",
        "html": None,
        "problems": [],
    }


async def test_a_preview_tells_all_that_is_wrong(client: Client) -> None:
    sent = {"subjectSource": None, "textSource": "{{ a }}\n{{ b }}", "htmlSource": "<script>"}
    async with nothing_recorded():
        shown = await previewed(client, kind="TASK", **sent)
    assert (shown["subject"], shown["text"], shown["html"]) == (None, None, None)
    assert [(one["field"], one["line"]) for one in shown["problems"]] == [
        ("subjectSource", None),
        ("textSource", 1),
        ("textSource", 2),
        ("htmlSource", 1),
        ("htmlSource", 1),
    ]
    assert shown["problems"][0]["message"] == "An email needs a subject: it cannot be null."


async def test_a_preview_is_about_a_real_customer(client: Client, client_with: ClientWith) -> None:
    ada = await factories.contact(client, firstName="Eva", lastName="Berg")
    customer_id = ada["customer"]["id"]
    bo = await factories.contact(client, customer_id, firstName="Bo", lastName=None)
    invoice = await factories.posted_invoice(
        client, customer_id, number="A-7", issuedOn="2026-01-01", dueOn="2026-01-31"
    )
    source = "{{ contact.name }}/{{ sales_document.number }}/{{ sales_document.days_overdue }}/{{ company.name }}"
    by_document = {"kind": "REMINDER", "textSource": source, "salesDocumentId": invoice["id"]}
    for sent, expected in (
        ({"customerId": customer_id}, "Eva Berg/A-7/"),
        ({"customerId": customer_id, "contactId": bo["id"]}, "Bo/A-7/"),
        ({}, "Eva Berg/A-7/"),
    ):
        shown = await previewed(client, **by_document, **sent)
        overdue = (clock.now().date() - date(2026, 1, 31)).days
        assert shown["text"] == f"{expected}{overdue}/Accounts receivable\n"
    alone = await previewed(client, kind="REMINDER", textSource=source, contactId=bo["id"])
    assert alone["text"] == "Bo/1007/12/Accounts receivable\n"
    statement = await previewed(client, kind="STATEMENT", customerId=customer_id)
    assert "EUR 500.00" in statement["text"]
    nobody = await factories.customer(client, name="Nobody Ltd")
    assert (await previewed(client, kind="TASK", customerId=nobody["id"]))["text"].startswith("Dear Nobody Ltd,\n")
    assert "nothing is to be paid" in (await previewed(client, kind="STATEMENT", customerId=nobody["id"]))["text"]

    for sent, code, message in (
        (
            {"customerId": nobody["id"], "contactId": bo["id"]},
            "BAD_REQUEST",
            "input.contactId: This belongs to another",
        ),
        ({"contactId": new_id("con")}, "NOT_FOUND", "input.contactId: There is no contact with this ID."),
        ({"customerId": bo["id"]}, "BAD_REQUEST", "input.customerId: This is not an ID"),
        ({"templateId": bo["id"]}, "BAD_REQUEST", "input.kind: Name a template, or a kind"),
    ):
        await client.run(PREVIEW_TEMPLATE, input={"kind": "TASK", **sent})
        assert client.codes == [code], sent
        assert client.errors[0]["message"].startswith(message)

    granted = [Permission.COMMUNICATIONS_READ]
    stranger, blind = await client_with(granted), await client_with([*granted, Permission.CUSTOMERS_READ])
    for reader, sent, needed in (
        (stranger, {"kind": "TASK", "customerId": customer_id}, "CUSTOMERS_READ"),
        (blind, {"kind": "TASK", "salesDocumentId": invoice["id"]}, "SALES_DOCUMENTS_READ"),
        (blind, {"kind": "STATEMENT", "customerId": customer_id}, "SALES_DOCUMENTS_READ"),
    ):
        before = await last_seq()
        await reader.run(PREVIEW_TEMPLATE, input=sent)
        assert reader.codes == ["FORBIDDEN"]
        assert needed in reader.errors[0]["message"]
        assert actions(await recorded(client, after=before)) == ["USER_PERMISSION_REFUSED"]
    assert (await previewed(blind, kind="TASK", customerId=customer_id))["problems"] == []


async def test_what_templates_can_name_is_listed(client: Client) -> None:
    document = """query ($kind: CommunicationKind!) {
      templateVariables(kind: $kind) { name description example repeated } }"""
    names = {}
    for kind in ("INVOICE", "STATEMENT", "WELCOME", "WORKFLOW_REMINDER"):
        found = (await client.run(document, kind=kind))["templateVariables"]
        assert all(one["description"].endswith(".") for one in found)
        names[kind] = {one["name"]: (one["example"], one["repeated"]) for one in found}
    assert names["INVOICE"]["customer"] == (None, False)
    assert names["INVOICE"]["sales_document.due_on"] == ("31 January 2026", False)
    assert names["STATEMENT"]["statement.lines[].balance"] == ("EUR 1,234.50", True)
    assert {"link"} == names["WELCOME"].keys() - names["INVOICE"].keys()
    assert {"reminder_days"} == names["WORKFLOW_REMINDER"].keys() - names["INVOICE"].keys()


async def test_who_sends_finds_a_template_of_the_kind(client: Client) -> None:
    template = await factories.template(client)
    kind = CommunicationKind.INVOICE

    assert (await chosen(kind, None))["id"] == (await standard(kind))["id"]
    assert (await chosen(kind, template["id"]))["name"] == template["name"]
    for wanted, identifier, code in (
        (CommunicationKind.TASK, template["id"], "INVALID"),
        (kind, new_id("tpl"), "NOT_FOUND"),
        (kind, "x", "INVALID"),
    ):
        with pytest.raises(Fault) as raised:
            await chosen(wanted, identifier)
        first = raised.value
        with pytest.raises(Fault) as raised:
            await chosen(wanted, identifier)
        for fault in (first, raised.value):
            assert (fault.code.value, fault.field) == (code, ("template_id",))
