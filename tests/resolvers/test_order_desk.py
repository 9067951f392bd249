"""The order desk under each contact policy: applying contacts, releasing, posting, payments, the override."""

from __future__ import annotations

from typing import Any

import pytest

from models.identifier import new_id
from tests import factories
from tests.client import Client
from tests.resolvers.documents import (
    APPLY_CONTACT,
    CREATE_SALES_DOCUMENT,
    POST,
    RECORD_PAYMENT,
    RELEASE,
    UPDATE_CONTACT,
    VOID,
)
from tests.resolvers.stubs import actions, changes, nothing_recorded, texts

pytestmark = pytest.mark.anyio

WARNING = (
    "Customer Contact Required! This customer requires a valid customer contact. This should be set before posting. "
    "Are you sure you want to continue?"
)
REFUSAL = "This customer requires a valid customer contact. This must be set before posting."
WAIVED = "Ada Admin waived the contact that Krume requires for {}."
REQUIRING = ["REQUIRED", "REQUIRED_WITH_PASSWORD"]


async def krume(client: Client, policy: str | None = None) -> tuple[str, str]:
    """The ids of a customer with this policy, and of its contact, whose order password is “violet”."""
    customer = await factories.customer(client, name="Krume")
    contact = await factories.contact(client, customer["id"], firstName="Eva", lastName="Lund")
    await factories.contact(client, customer["id"])
    await factories.order_password(client, contact["id"], "violet")
    if policy is not None:
        await factories.contact_policy(client, customer["id"], policy)
    return customer["id"], contact["id"]


async def deactivate(client: Client, contact_id: str, successor_id: str) -> None:
    await client.change(UPDATE_CONTACT, input={"id": contact_id, "active": False, "successorId": successor_id})


async def another_contact(client: Client, customer_id: str) -> str:
    return str((await factories.contact(client, customer_id))["id"])


def paying(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"salesDocumentId": document["id"], "amount": "100", "method": "CARD", **fields}


async def test_a_contact_is_applied_and_taken_away_again(client: Client) -> None:
    customer_id, contact_id = await krume(client)
    document = await factories.sales_document(client, customer_id, number="1007")
    sent = {"salesDocumentId": document["id"], "contactId": contact_id}
    payload = await client.change(APPLY_CONTACT, input=sent)
    assert payload["salesDocument"]["contact"] == {"id": contact_id}
    assert payload["salesDocument"]["contactVerified"] is False
    [stub] = payload["events"]
    assert stub["action"] == "SALES_DOCUMENT_UPDATED"
    assert stub["sentence"] == "Ada Admin changed invoice 1007 at Krume: contact set to “Eva Lund”."
    assert texts(stub) == {"contactId": (None, "Eva Lund")}
    async with nothing_recorded():
        assert (await client.change(APPLY_CONTACT, input=sent))["events"] == []
    payload = await client.change(APPLY_CONTACT, input={**sent, "contactId": None})
    assert payload["salesDocument"]["contact"] is None
    assert texts(payload["events"][0]) == {"contactId": ("Eva Lund", None)}


async def test_only_a_draft_loses_its_contact(client: Client) -> None:
    customer_id, contact_id = await krume(client)
    document = await factories.posted_invoice(client, customer_id, contactId=contact_id)
    async with nothing_recorded():
        fault = await client.fault(APPLY_CONTACT, input={"salesDocumentId": document["id"], "contactId": None})
    assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "salesDocumentId"])
    other = await another_contact(client, customer_id)
    payload = await client.change(APPLY_CONTACT, input={"salesDocumentId": document["id"], "contactId": other})
    assert payload["salesDocument"]["contact"] == {"id": other}
    await client.change(VOID, input={"id": document["id"]})
    async with nothing_recorded():
        sent = {"salesDocumentId": document["id"], "contactId": contact_id}
        fault = await client.fault(APPLY_CONTACT, input=sent)
    assert (fault["code"], fault["field"]) == ("WRONG_STATUS", ["input", "salesDocumentId"])


@pytest.mark.parametrize("policy", ["NOT_REQUIRED", *REQUIRING])
async def test_a_contact_is_an_active_one_of_this_customer(client: Client, policy: str) -> None:
    customer_id, contact_id = await krume(client, policy)
    other_customer, other = await krume(client)
    await deactivate(client, contact_id, await another_contact(client, customer_id))
    document = await factories.sales_document(client, customer_id)
    new = {"customerId": customer_id, "kind": "ORDER", "number": "1", "currency": "EUR", "amount": "1"}
    # Also with the right password: it does not come to that.
    for wrong, code, message in (
        (other, "INVALID", "This contact belongs to another customer."),
        (contact_id, "INVALID", "This contact is inactive: choose an active one."),
        (new_id("con"), "NOT_FOUND", "There is no contact with this ID."),
        (other_customer, "INVALID", "This is not an ID of the expected type: it should begin with con_."),
    ):
        for mutation, sent in ((APPLY_CONTACT, {"salesDocumentId": document["id"]}), (CREATE_SALES_DOCUMENT, new)):
            async with nothing_recorded():
                fault = await client.fault(mutation, input={**sent, "contactId": wrong, "orderPassword": "violet"})
            expected = (code, ["input", "contactId"], message)
            assert (fault["code"], fault["field"], fault["message"]) == expected


async def test_without_a_policy_nobody_asks_for_a_contact(client: Client) -> None:
    customer_id, _ = await krume(client)
    order = await factories.released_order(client, customer_id)
    payload = await client.change(RECORD_PAYMENT, input=paying(order))
    assert actions(payload["events"]) == ["PAYMENT_CREATED", "SALES_DOCUMENT_UPDATED"]
    # An acknowledgement of what is not asked is not in history.
    payload = await client.change(POST, input={"id": order["id"], "acknowledge": True})
    assert actions(payload["events"]) == ["SALES_DOCUMENT_UPDATED"]


async def test_the_policy_of_all_customers_holds_for_one_without_a_policy(client: Client) -> None:
    customer_id, _ = await krume(client)
    document = await factories.sales_document(client, customer_id)
    await client.change(
        """mutation ($input: UpdateSettingsInput!) {
        updateSettings(input: $input) { settings { revision } errors { code } } }""",
        input={"contactPolicy": "REQUIRED"},
    )
    assert (await client.fault(POST, input={"id": document["id"]}))["code"] == "ACKNOWLEDGEMENT_REQUIRED"
    await factories.contact_policy(client, customer_id, "NOT_REQUIRED")
    await client.change(POST, input={"id": document["id"]})


async def test_a_required_contact_is_a_warning_that_can_be_overridden(client: Client) -> None:
    customer_id, _ = await krume(client, "REQUIRED")
    document = await factories.sales_document(client, customer_id, number="1007")
    for sent in ({}, {"acknowledge": False}, {"acknowledge": None}):
        async with nothing_recorded():
            fault = await client.fault(POST, input={"id": document["id"], **sent})
        assert (fault["code"], fault["field"]) == ("ACKNOWLEDGEMENT_REQUIRED", ["input", "acknowledge"])
        assert fault["message"] == WARNING
    payload = await client.change(POST, input={"id": document["id"], "acknowledge": True})
    assert payload["salesDocument"]["status"] == "POSTED"
    waived, posted = payload["events"]
    assert (waived["action"], waived["category"]) == ("SALES_DOCUMENT_CONTACT_WAIVED", "ORDER_DESK")
    assert (waived["sentence"], waived["changes"]) == (WAIVED.format("invoice 1007"), [])
    assert waived["subject"]["id"] == document["id"]
    assert posted["sentence"] == "Ada Admin posted invoice 1007 at Krume."


async def test_a_payment_without_the_required_contact_warns_too(client: Client) -> None:
    customer_id, contact_id = await krume(client)
    document = await factories.posted_invoice(client, customer_id, number="1007")
    await factories.contact_policy(client, customer_id, "REQUIRED")
    async with nothing_recorded():
        fault = await client.fault(RECORD_PAYMENT, input=paying(document))
    assert (fault["code"], fault["field"]) == ("ACKNOWLEDGEMENT_REQUIRED", ["input", "acknowledge"])
    assert fault["message"] == WARNING
    payload = await client.change(RECORD_PAYMENT, input=paying(document, acknowledge=True))
    assert actions(payload["events"]) == [
        "SALES_DOCUMENT_CONTACT_WAIVED",
        "PAYMENT_CREATED",
        "SALES_DOCUMENT_UPDATED",
    ]
    assert payload["events"][0]["sentence"] == WAIVED.format("invoice 1007")
    await client.change(APPLY_CONTACT, input={"salesDocumentId": document["id"], "contactId": contact_id})
    payload = await client.change(RECORD_PAYMENT, input=paying(document, acknowledge=True))
    assert actions(payload["events"]) == ["PAYMENT_CREATED", "SALES_DOCUMENT_UPDATED"]


async def test_a_contact_who_was_deactivated_is_not_valid_any_more(client: Client) -> None:
    customer_id, contact_id = await krume(client, "REQUIRED")
    document = await factories.sales_document(client, customer_id, contactId=contact_id)
    await deactivate(client, contact_id, await another_contact(client, customer_id))
    async with nothing_recorded():
        fault = await client.fault(POST, input={"id": document["id"]})
    assert (fault["code"], fault["message"]) == ("ACKNOWLEDGEMENT_REQUIRED", WARNING)
    await client.change(UPDATE_CONTACT, input={"id": contact_id, "active": True})
    payload = await client.change(POST, input={"id": document["id"]})
    assert actions(payload["events"]) == ["SALES_DOCUMENT_UPDATED"]


@pytest.mark.parametrize("policy", REQUIRING)
async def test_an_order_is_not_released_without_a_required_contact(client: Client, policy: str) -> None:
    customer_id, contact_id = await krume(client, policy)
    order = await factories.sales_document(client, customer_id, kind="ORDER")
    async with nothing_recorded():
        fault = await client.fault(RELEASE, input={"id": order["id"]})
    assert (fault["code"], fault["field"]) == ("CONTACT_REQUIRED", ["input", "id"])
    assert fault["message"].endswith("An order cannot be released without one: apply the contact first.")
    # A quote is only an offer.
    await client.change(
        RELEASE, input={"id": (await factories.sales_document(client, customer_id, kind="QUOTE"))["id"]}
    )
    sent = {"salesDocumentId": order["id"], "contactId": contact_id, "orderPassword": "violet"}
    await client.change(APPLY_CONTACT, input=sent)
    payload = await client.change(RELEASE, input={"id": order["id"]})
    assert payload["salesDocument"]["status"] == "RELEASED"


async def test_a_required_password_refuses_without_override(client: Client) -> None:
    customer_id, contact_id = await krume(client)
    paid = await factories.posted_invoice(client, customer_id)
    await factories.contact_policy(client, customer_id, "REQUIRED_WITH_PASSWORD")
    document = await factories.sales_document(client, customer_id)
    for mutation, sent, field in (
        (POST, {"id": document["id"]}, "id"),
        (RECORD_PAYMENT, paying(paid), "salesDocumentId"),
    ):
        for acknowledge in (False, True):
            async with nothing_recorded():
                fault = await client.fault(mutation, input={**sent, "acknowledge": acknowledge})
            assert (fault["code"], fault["field"]) == ("CONTACT_REQUIRED", ["input", field])
            assert fault["message"] == REFUSAL
        sent_contact = {"salesDocumentId": sent.get("id") or paid["id"], "contactId": contact_id}
        await client.change(APPLY_CONTACT, input={**sent_contact, "orderPassword": "violet"})
        payload = await client.change(mutation, input=sent)
        assert "SALES_DOCUMENT_CONTACT_WAIVED" not in actions(payload["events"])


@pytest.mark.parametrize("kind", ["QUOTE", "ORDER", "INVOICE"])
async def test_where_a_password_is_required_no_contact_is_applied_without_it(client: Client, kind: str) -> None:
    customer_id, contact_id = await krume(client, "REQUIRED_WITH_PASSWORD")
    without = await another_contact(client, customer_id)
    document = await factories.sales_document(client, customer_id, kind=kind)
    new = {"customerId": customer_id, "kind": kind, "number": "new", "currency": "EUR", "amount": "1"}
    for mutation, sent in ((APPLY_CONTACT, {"salesDocumentId": document["id"]}), (CREATE_SALES_DOCUMENT, new)):
        async with nothing_recorded():
            fault = await client.fault(mutation, input={**sent, "contactId": contact_id})
            assert (fault["code"], fault["field"]) == ("INVALID", ["input", "orderPassword"])
            for password in (None, "violet"):
                fault = await client.fault(mutation, input={**sent, "contactId": without, "orderPassword": password})
                assert (fault["code"], fault["field"]) == ("INVALID", ["input", "contactId"])
                assert fault["message"] == "This contact has no order password: set one first (setOrderPassword)."
        payload = await client.change(mutation, input={**sent, "contactId": contact_id, "orderPassword": "violet"})
        assert payload["salesDocument"]["contactVerified"] is True
        [stub] = payload["events"]
        assert changes(stub)["contactVerified"] in ((False, True), (None, True))
        assert "violet" not in client.response.text


async def test_a_contact_applied_without_password_is_not_valid_under_a_stricter_policy(client: Client) -> None:
    customer_id, contact_id = await krume(client)
    plain = await factories.sales_document(client, customer_id, contactId=contact_id)
    verified = await factories.sales_document(client, customer_id, contactId=contact_id, orderPassword="violet")
    assert (plain["contactVerified"], verified["contactVerified"]) == (False, True)
    # Applied again without the password, the same contact stays verified; another one is not.
    sent = {"salesDocumentId": verified["id"], "contactId": contact_id}
    async with nothing_recorded():
        await client.change(APPLY_CONTACT, input=sent)
    await factories.contact_policy(client, customer_id, "REQUIRED_WITH_PASSWORD")
    async with nothing_recorded():
        fault = await client.fault(POST, input={"id": plain["id"], "acknowledge": True})
    assert (fault["code"], fault["message"]) == ("CONTACT_REQUIRED", REFUSAL)
    await client.change(POST, input={"id": verified["id"]})
    await factories.contact_policy(client, customer_id, "REQUIRED")
    await client.change(POST, input={"id": plain["id"]})
    payload = await client.change(
        APPLY_CONTACT, input={**sent, "contactId": await another_contact(client, customer_id)}
    )
    assert payload["salesDocument"]["contactVerified"] is False


async def test_an_order_password_belongs_to_a_contact_that_is_named(client: Client) -> None:
    document = await factories.sales_document(client)
    async with nothing_recorded():
        fault = await client.fault(APPLY_CONTACT, input={"salesDocumentId": document["id"], "orderPassword": "violet"})
    assert (fault["code"], fault["field"]) == ("INVALID", ["input", "contactId"])


async def test_a_repeated_override_leaves_one_event(client: Client) -> None:
    customer_id, _ = await krume(client, "REQUIRED")
    document = await factories.sales_document(client, customer_id)
    key = {"Idempotency-Key": "post-1"}
    sent = {"input": {"id": document["id"], "acknowledge": True}}
    first = await client.send(POST, sent, key)
    async with nothing_recorded():
        assert await client.send(POST, sent, key) == first
    assert len(first["postSalesDocument"]["events"]) == 2
