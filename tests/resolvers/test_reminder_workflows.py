"""Reminder workflows: their steps, and their end while somebody uses them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit.drift import drift
from models import Permission, ReminderWorkflow, Template, current
from models.identifier import new_id
from models.preference_values import step_of
from models.rows import by_ids
from services import defaults, reminder_workflows
from tests import factories
from tests.audit.rows import new, updated
from tests.client import Client, ClientWith
from tests.resolvers.documents import (
    CREATE_WORKFLOW,
    DELETE_WORKFLOW,
    READ_PREFERENCES,
    READ_SETTINGS,
    UPDATE_PREFERENCES,
    UPDATE_SETTINGS,
    UPDATE_WORKFLOW,
    WORKFLOW,
)
from tests.resolvers.stubs import actions, nothing_recorded, recorded, texts

pytestmark = pytest.mark.anyio

LIST = f"{{ reminderWorkflows {{ totalCount edges {{ node {WORKFLOW} }} }} }}"


def steps(*of: int) -> list[dict[str, int]]:
    """Steps on these days."""
    return [{"days": day} for day in of]


def days(workflow: dict[str, Any]) -> list[int]:
    """The days of a workflow's steps."""
    return [step["days"] for step in workflow["steps"]]


async def chosen_by(client: Client, workflow: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A customer that has chosen the workflow."""
    customer = await factories.customer(client, **fields)
    sent = {"customerId": customer["id"], "reminders": {"workflowId": workflow["id"]}}
    await client.change(UPDATE_PREFERENCES, input=sent)
    return customer


async def test_steps_are_days_around_the_due_date_in_order(client: Client) -> None:
    payload = await client.change(CREATE_WORKFLOW, input={"name": " Standard ", "steps": steps(7, -3, 0, 14)})
    workflow = payload["reminderWorkflow"]
    assert (workflow["name"], days(workflow), workflow["customerCount"]) == ("Standard", [-3, 0, 7, 14], 0)
    [stub] = payload["events"]
    assert (stub["action"], stub["category"]) == ("REMINDER_WORKFLOW_CREATED", "SETTINGS")
    assert stub["sentence"] == "Ada Admin added reminder workflow Standard."
    [stub] = (await client.change(UPDATE_WORKFLOW, input={"id": workflow["id"], "steps": steps(-1, 30)}))["events"]
    assert texts(stub)["steps"] == (
        "3 days before, on the due date, 7 days after, 14 days after",
        "1 day before, 30 days after",
    )
    assert stub["sentence"].startswith("Ada Admin changed reminder workflow Standard: steps from “3 days before, ")
    [node] = [edge["node"] for edge in (await client.run(LIST))["reminderWorkflows"]["edges"]]
    assert (node["id"], node["revision"], days(node)) == (workflow["id"], 2, [-1, 30])


async def test_a_step_says_what_is_sent(client: Client) -> None:
    template = await new(Template, kind="WORKFLOW_REMINDER", name="Last warning")
    last = {"days": 30, "templateId": template["id"], "attachStatement": True, "attachInvoice": True}
    sent = {"name": "Firm", "steps": [last, {"days": 1, "templateId": None, "attachInvoice": True}]}
    payload = await client.change(CREATE_WORKFLOW, input=sent)
    assert payload["reminderWorkflow"]["steps"] == [
        {"days": 1, "template": None, "attachStatement": False, "attachInvoice": True},
        {"days": 30, "template": {"id": template["id"], "name": "Last warning"}, **last_but_its_template(last)},
    ]
    [stub] = payload["events"]
    read = "1 day after (invoice), 30 days after (own template, statement, invoice)"
    assert texts(stub)["steps"] == (None, read)


def last_but_its_template(step: dict[str, Any]) -> dict[str, Any]:
    """What the step attaches."""
    return {name: step[name] for name in ("attachStatement", "attachInvoice")}


@pytest.mark.parametrize(
    ("step", "code", "field"),
    [
        ({"templateId": "an invoice's"}, "INVALID", ["steps"]),
        ({"templateId": new_id("tpl")}, "NOT_FOUND", ["steps"]),
        ({"templateId": new_id("rol")}, "INVALID", ["steps", "1", "templateId"]),
        ({"attachStatement": None}, "INVALID", ["steps", "1", "attachStatement"]),
        ({"attachInvoice": None}, "INVALID", ["steps", "1", "attachInvoice"]),
    ],
)
async def test_the_template_of_a_step_is_one_for_reminders(
    client: Client, step: dict[str, Any], code: str, field: list[str]
) -> None:
    workflow = await factories.reminder_workflow(client)
    if step.get("templateId") == "an invoice's":
        step = {"templateId": (await new(Template, kind="INVOICE"))["id"]}
    for document, sent in ((CREATE_WORKFLOW, {"name": "Other"}), (UPDATE_WORKFLOW, {"id": workflow["id"]})):
        async with nothing_recorded():
            fault = await client.fault(document, input={**sent, "steps": [{"days": 1}, {"days": 2, **step}]})
        assert (fault["code"], fault["field"]) == (code, ["input", *field])


async def test_the_days_of_an_early_version_become_steps_and_their_events_still_read_well(client: Client) -> None:
    early = await new(ReminderWorkflow, name="Early", steps=[-3, 0, 7])
    _, [changed] = await updated(ReminderWorkflow, early, steps=[0, 7])
    [node] = [edge["node"] for edge in (await client.run(LIST))["reminderWorkflows"]["edges"]]
    assert days(node) == [0, 7]
    assert await drift(current()) == []
    [upgraded] = await defaults.ensure()
    earlier, later = await recorded(client, after=changed - 1)
    assert texts(earlier)["steps"] == ("3 days before, on the due date, 7 days after", "on the due date, 7 days after")
    assert (later["seq"], later["actor"]["kind"]) == (upgraded, "SYSTEM")
    row = (await by_ids(ReminderWorkflow)([early["id"]]))[0]
    assert row is not None
    assert json.loads(row["steps"]) == [step_of(0), step_of(7)]
    assert await defaults.ensure() == []


BAD_STEPS: list[tuple[list[int], list[str]]] = [
    ([], ["steps"]),
    (list(range(21)), ["steps"]),
    ([0, 366], ["steps", "1", "days"]),
    ([-366], ["steps", "0", "days"]),
    ([7, 0, 7], ["steps", "2", "days"]),
]


async def test_steps_are_few_near_and_different(client: Client) -> None:
    workflow = await factories.reminder_workflow(client)
    for named, field in BAD_STEPS:
        for document, sent in ((CREATE_WORKFLOW, {"name": "Other"}), (UPDATE_WORKFLOW, {"id": workflow["id"]})):
            async with nothing_recorded():
                fault = await client.fault(document, input={**sent, "steps": steps(*named)})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", *field]), named
    assert days(await factories.reminder_workflow(client, steps=steps(*range(20)))) == list(range(20))


async def test_names_are_unique_and_nothing_can_be_cleared(client: Client) -> None:
    workflow = await factories.reminder_workflow(client, name="Standard")
    for document, sent in (
        (CREATE_WORKFLOW, {"name": "STANDARD", "steps": steps(0)}),
        (UPDATE_WORKFLOW, {"id": (await factories.reminder_workflow(client))["id"], "name": "standard"}),
    ):
        async with nothing_recorded():
            fault = await client.fault(document, input=sent)
        assert (fault["code"], fault["field"]) == ("TAKEN", ["input", "name"])
        assert fault["message"] == "Another reminder workflow has this name."
    for name in ("name", "steps"):
        async with nothing_recorded():
            fault = await client.fault(UPDATE_WORKFLOW, input={"id": workflow["id"], name: None})
        assert (fault["code"], fault["field"]) == ("INVALID", ["input", name])


async def test_a_workflow_in_use_is_not_deleted_and_names_its_users(client: Client, client_with: ClientWith) -> None:
    workflow = await factories.reminder_workflow(client)
    await client.change(UPDATE_SETTINGS, input={"reminders": {"workflowId": workflow["id"]}})
    async with nothing_recorded():
        fault = await client.fault(DELETE_WORKFLOW, input={"id": workflow["id"]})
    assert fault["message"] == "This workflow is used by the settings. Name a workflow to replace it."
    keeper = await client_with([Permission.SETTINGS_WRITE])
    bare = """mutation ($input: DeleteReminderWorkflowInput!) {
      deleteReminderWorkflow(input: $input) { errors { message } } }"""
    await chosen_by(client, workflow, name="Krume 0")
    fault = await keeper.fault(bare, input={"id": workflow["id"]})
    assert fault["message"].startswith("This workflow is used by the settings, 1 customer.")
    for number in range(1, 6):
        await chosen_by(client, workflow, name=f"Krume {number}")
    fault = await client.fault(DELETE_WORKFLOW, input={"id": workflow["id"]})
    assert "Krume 4, 1 more customer." in fault["message"]
    await chosen_by(client, workflow, name="Krume 6")
    async with nothing_recorded():
        fault = await client.fault(DELETE_WORKFLOW, input={"id": workflow["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "replacementId"])
    assert fault["message"] == (
        "This workflow is used by the settings, Krume 0, Krume 1, Krume 2, Krume 3, Krume 4, 2 more customers."
        " Name a workflow to replace it."
    )
    async with nothing_recorded():
        fault = await keeper.fault(bare, input={"id": workflow["id"]})
    assert fault["message"].startswith("This workflow is used by the settings, 7 customers.")
    [node] = [edge["node"] for edge in (await client.run(LIST))["reminderWorkflows"]["edges"]]
    assert node["customerCount"] == 7


async def test_the_settings_and_customers_get_the_replacement_of_a_deleted_workflow(client: Client) -> None:
    old, new = [await factories.reminder_workflow(client, name=name) for name in ("Old", "New")]
    await client.change(UPDATE_SETTINGS, input={"reminders": {"workflowId": old["id"]}})
    customer = await chosen_by(client, old)
    await factories.customer(client)
    payload = await client.change(DELETE_WORKFLOW, input={"id": old["id"], "replacementId": new["id"]})
    assert payload["deletedId"] == old["id"]
    assert actions(payload["events"]) == ["PREFERENCES_UPDATED", "SETTINGS_UPDATED", "REMINDER_WORKFLOW_DELETED"]
    preferences, settings, deleted = payload["events"]
    assert preferences["customer"]["id"] == customer["id"]
    assert texts(preferences) == texts(settings) == {"reminderWorkflowId": ("Old", "New")}
    assert [change["affectedCustomers"] for change in settings["changes"]] == [1]
    assert deleted["sentence"] == "Ada Admin deleted reminder workflow Old."
    assert (await client.run(READ_SETTINGS))["settings"]["reminders"]["workflow"]["name"] == "New"
    own = (await client.run(READ_PREFERENCES, id=customer["id"]))["customer"]["preferences"]["reminders"]["own"]
    assert own["workflow"]["name"] == "New"
    await client.change(DELETE_WORKFLOW, input={"id": (await factories.reminder_workflow(client))["id"]})


async def test_a_replacement_must_be_another_workflow_that_exists(client: Client) -> None:
    workflow = await factories.reminder_workflow(client)
    await chosen_by(client, workflow)
    for replacement, code in ((workflow["id"], "INVALID"), (new_id("rwf"), "NOT_FOUND"), (new_id("rol"), "INVALID")):
        async with nothing_recorded():
            fault = await client.fault(DELETE_WORKFLOW, input={"id": workflow["id"], "replacementId": replacement})
        assert (fault["code"], fault["field"]) == (code, ["input", "replacementId"])


async def test_a_workflow_with_very_many_users_is_not_replaced_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminder_workflows, "BULK_LIMIT", 1)
    workflow, other = [await factories.reminder_workflow(client) for _ in range(2)]
    for _ in range(2):
        await chosen_by(client, workflow)
    async with nothing_recorded():
        fault = await client.fault(DELETE_WORKFLOW, input={"id": workflow["id"], "replacementId": other["id"]})
    assert (fault["code"], fault["field"]) == ("IN_USE", ["input", "replacementId"])


async def test_workflows_are_maintained_with_the_permission_for_settings(
    client: Client, client_with: ClientWith
) -> None:
    workflow = await factories.reminder_workflow(client)
    clerk = await client_with([Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE])
    for document, sent in (
        (CREATE_WORKFLOW, {"name": "Mine", "steps": steps(0)}),
        (UPDATE_WORKFLOW, {"id": workflow["id"], "steps": steps(0)}),
        (DELETE_WORKFLOW, {"id": workflow["id"]}),
    ):
        await clerk.run(document, input=sent)
        assert clerk.codes == ["FORBIDDEN"]
        assert "SETTINGS_WRITE" in clerk.errors[0]["message"]
