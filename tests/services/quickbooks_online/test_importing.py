"""What an import leaves: customers, their Company Contacts, and exactly the events of what changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from audit import SYSTEM, Change, Request, transact
from audit.drift import drift
from models import Contact, ContactRole, Customer, Database, ErrorCode, Fault, Row
from services import contact_roles, contacts, customers, defaults
from services.quickbooks_online import importing
from services.quickbooks_online.customer_query import Problem, UnreadableDocument, read
from services.quickbooks_online.importing import ImportResult
from tests.audit.rows import by_ada, disclosed, events

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parent / "fixtures"
METADATA = {"actor.name", "subject.label", "customer.label", "reason"}

ACME: dict[str, Any] = {
    "Id": "7",
    "DisplayName": "Acme Ltd",
    "CompanyName": "Acme Ltd",
    "GivenName": "Ana",
    "FamilyName": "Reyes",
    "PrimaryEmailAddr": {"Address": "ana@acme.example.com, ap@acme.example.com"},
    "PrimaryPhone": {"FreeFormNumber": "(650) 555-3311"},
    "BillAddr": {"Line1": "9 Quay", "City": "Mira", "Country": "US"},
    "SalesTermRef": {"value": "3", "name": "Net 30"},
    "CurrencyRef": {"value": "USD"},
    "Active": True,
}
NO_CONTACT = {"GivenName": None, "FamilyName": None, "PrimaryEmailAddr": None, "PrimaryPhone": None}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "answers" not in metafunc.fixturenames:
        return
    folder = metafunc.config.getoption("--erp-samples", default=None)
    samples = sorted(Path(folder).rglob("customer-query*.json")) if folder else []
    metafunc.parametrize("answers", [samples or sorted(FIXTURES.glob("*.json"))], ids=["answers"])


@pytest.fixture(autouse=True)
async def existing_from_the_start(database: Database) -> None:
    await defaults.ensure()


async def imported(*entries: dict[str, Any]) -> ImportResult:
    return await importing.apply(read(json.dumps({"QueryResponse": {"Customer": list(entries)}})))


def acme(**changed: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ACME), **changed}


async def only(table: Any, **equal: Any) -> Row:
    [row] = await every(table, **equal)
    return row


async def every(table: Any, **equal: Any) -> list[Row]:
    """The rows with these values; those that came from QuickBooks when none are given."""

    async def work(change: Change) -> list[Row]:
        return await change.where(table, **(equal or {"origin_system": "QUICKBOOKS_ONLINE"}))

    return (await transact(SYSTEM, Request.new(), work))[0]


async def company_contact(database: Database) -> Row:
    return await only(ContactRole, well_known="COMPANY_CONTACT")


async def left(database: Database, since: int) -> list[tuple[str, set[str]]]:
    """(action, changed fields) of the events after number `since`, all of which QuickBooks Online left."""
    found = []
    for event in (await events(database))[since:]:
        assert (event["actor_kind"], event["actor_id"]) == ("ACCOUNTING", "QUICKBOOKS_ONLINE")
        details = await disclosed(database, event["seq"])
        assert details["QUICKBOOKS_ONLINE"] == {"actor.name": "QuickBooks Online"}
        fields = {name for values in details.values() for name in values}
        found.append((event["action"], fields - METADATA))
    return found


async def count(database: Database) -> int:
    return len(await events(database))


async def test_a_customer_comes_with_facts_and_its_company_contact(database: Database) -> None:
    result = await imported(acme())
    assert (result.created, result.updated, result.unchanged, result.problems) == (1, 0, 0, [])
    customer = await only(Customer, origin_system="QUICKBOOKS_ONLINE", origin_external_id="7")
    assert (customer["name"], customer["kind"], customer["active"]) == ("Acme Ltd", "COMPANY", True)
    assert (customer["email"], customer["phone"]) == ("ana@acme.example.com", "+16505553311")
    assert customer["billing_address"]["city"] == "Mira"
    assert (customer["payment_terms"], customer["currency"]) == ("Net 30", "USD")
    assert customer["accounting"] == {
        "payment_terms_id": "3",
        "payment_terms_name": "Net 30",
        "currency": "USD",
        "parent_external_id": None,
        "bill_with_parent": False,
        "fully_qualified_name": None,
    }
    contact = await only(Contact, customer_id=customer["id"])
    assert (contact["first_name"], contact["last_name"], contact["primary"]) == ("Ana", "Reyes", True)
    assert (contact["origin_system"], contact["origin_external_id"]) == ("QUICKBOOKS_ONLINE", "7")
    assert [method["value"] for method in contact["methods"]] == [method["value"] for method in customer["methods"]]
    role = await company_contact(database)
    assert contact["role_id"] == role["id"]
    assert (role["communication"], role["invoice_presentment"], role["designated_by"]) == (True, False, "ACCOUNTING")


async def test_importing_twice_leaves_nothing_new(database: Database) -> None:
    await imported(acme(), acme(Id="8", DisplayName="Other"))
    before = await count(database)
    result = await imported(acme(), acme(Id="8", DisplayName="Other"))
    assert (result.created, result.updated, result.unchanged) == (0, 0, 2)
    assert await count(database) == before


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"DisplayName": "Acme Group"}, [("customer.updated", {"name"})]),
        ({"CompanyName": None}, [("customer.updated", {"kind"})]),
        ({"Active": False}, [("customer.updated", {"active"})]),
        ({"SalesTermRef": {"value": "4", "name": "Net 60"}}, [("customer.updated", {"accounting", "payment_terms"})]),
        ({"BillAddr": {"Line1": "10 Quay"}}, [("customer.updated", {"billing_address"})]),
        ({"ShipAddr": {"Line1": "10 Quay"}}, [("customer.updated", {"shipping_address"})]),
        ({"WebAddr": {"URI": "acme.example.com"}}, [("customer.updated", {"website"})]),
        ({"FamilyName": "Reyes-Lund"}, [("contact.updated", {"last_name"})]),
        ({"GivenName": None}, [("contact.updated", {"first_name"})]),
        (
            {"PrimaryPhone": {"FreeFormNumber": "(650) 555-3312"}},
            [("customer.updated", {"methods"}), ("contact.updated", {"methods"})],
        ),
    ],
)
async def test_a_changed_file_leaves_exactly_the_changed_fields(
    database: Database, changed: dict[str, Any], expected: list[tuple[str, set[str]]]
) -> None:
    others = [acme(Id=str(number), DisplayName=f"Other {number}") for number in range(20, 24)]
    await imported(acme(), *others)
    before = await count(database)
    result = await imported(acme(**changed), *others)
    assert (result.updated, result.unchanged) == (1, 4)
    assert await left(database, before) == expected


async def test_contact_methods_that_stay_keep_their_ids(database: Database) -> None:
    await imported(acme())
    first = await only(Contact)
    await imported(acme(PrimaryEmailAddr={"Address": "ap@acme.example.com, new@acme.example.com"}))
    second = await only(Contact)
    ids = {method["value"]: method["id"] for method in first["methods"]}
    assert [ids.get(method["value"]) for method in second["methods"]] == [
        ids["ap@acme.example.com"],
        None,
        ids["+16505553311"],
    ]


async def test_what_users_decide_here_is_not_overwritten(database: Database) -> None:
    await imported(acme())
    contact = await only(Contact)

    async def decide(change: Change) -> None:
        role = await contact_roles.create(change, {"name": "Bookkeeper"})
        local = {"role_id": role["id"], "title": "Bookkeeper", "priority": 1}
        await contacts.update(change, contact["id"], None, local)
        company = (await change.where(ContactRole, well_known="COMPANY_CONTACT"))[0]
        await contact_roles.update(change, company["id"], None, {"communication": False})

    await by_ada(decide)
    decided = await only(Contact)
    before = await count(database)
    await imported(acme(FamilyName="Lund"), acme(Id="8", DisplayName="Another"))
    assert (await left(database, before))[0] == ("contact.updated", {"last_name"})
    assert [action for action, _ in (await left(database, before))[1:]] == ["customer.created", "contact.created"]
    contact = await only(Contact, id=contact["id"])
    assert {name: contact[name] for name in ("role_id", "title", "priority")} == {
        name: decided[name] for name in ("role_id", "title", "priority")
    }
    role = await company_contact(database)
    assert (role["communication"], role["designated_by"]) == (False, "USER")


async def test_a_synced_customer_is_read_only_for_users_but_not_for_its_system(database: Database) -> None:
    await imported(acme())
    customer = await only(Customer)
    with pytest.raises(Fault, match="accounting system") as fault:
        await by_ada(lambda change: customers.update(change, customer["id"], None, {"name": "Mine"}))
    assert fault.value.code is ErrorCode.READ_ONLY


async def test_a_synced_name_may_have_500_characters(database: Database) -> None:
    assert (await imported(acme(DisplayName="x" * 500))).problems == []
    assert (await only(Customer))["name"] == "x" * 500


async def test_a_contact_that_quickbooks_no_longer_names_is_deactivated_and_comes_back(database: Database) -> None:
    await imported(acme())
    before = await count(database)
    await imported(acme(**NO_CONTACT))
    contact = await only(Contact)
    assert (contact["active"], contact["primary"], contact["last_name"]) == (False, False, "Reyes")
    assert await left(database, before) == [
        ("customer.updated", {"methods", "accounting"}),
        ("contact.updated", {"active", "primary"}),
    ]
    before = await count(database)
    assert (await imported(acme(**NO_CONTACT))).unchanged == 1
    assert await count(database) == before
    await imported(acme())
    contact = await only(Contact)
    assert (contact["active"], contact["primary"]) == (True, True)
    assert "contact_gone" not in (await only(Customer))["accounting"]


async def test_a_primary_contact_that_is_gone_hands_over_to_the_oldest_other(database: Database) -> None:
    await imported(acme())
    customer = await only(Customer)

    async def add(change: Change) -> Row:
        first = await contacts.create(change, {"customer_id": customer["id"], "last_name": "First"})
        await contacts.create(change, {"customer_id": customer["id"], "last_name": "Second"})
        return first

    first, _ = await by_ada(add)
    await imported(acme(**NO_CONTACT))
    assert (await only(Contact, primary=True))["id"] == first["id"]


async def test_a_contact_that_a_user_deactivated_stays_so(database: Database) -> None:
    await imported(acme())
    contact = await only(Contact)
    await by_ada(lambda change: contacts.update(change, contact["id"], None, {"active": False}))
    await imported(acme(FamilyName="Lund"))
    contact = await only(Contact)
    assert (contact["active"], contact["last_name"]) == (False, "Lund")


async def test_a_customer_without_a_person_gets_its_contact_when_one_is_named(database: Database) -> None:
    await imported(acme(**NO_CONTACT))
    assert await every(Contact, active=True) == []
    before = await count(database)
    await imported(acme())
    assert [action for action, _ in await left(database, before)] == ["customer.updated", "contact.created"]


async def test_a_refused_record_is_reported_and_the_good_ones_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = contacts.create

    async def refusing(change: Change, given: dict[str, Any]) -> Row:
        if given["last_name"] == "Bad":
            raise Fault.invalid("This is refused.", "methods", 0, "value")
        return await create(change, given)

    monkeypatch.setattr(contacts, "create", refusing)
    entries = [acme(Id=str(number), DisplayName=f"Customer {number}") for number in range(250)]
    entries[120]["FamilyName"] = "Bad"
    result = await imported(*entries)
    assert (result.created, result.problems) == (
        249,
        [Problem("120", "Not imported: This is refused. (methods.0.value)")],
    )
    assert await every(Customer, origin_external_id="120") == []
    assert [event["seq"] for event in await events(database)] == list(range(1, await count(database) + 1))
    assert (await imported(*entries)).unchanged == 249


async def test_progress_counts_customers(database: Database) -> None:
    entries = [acme(Id=str(number), DisplayName=f"Customer {number}") for number in range(130)]
    told: list[tuple[int, int]] = []
    reading = read(json.dumps({"QueryResponse": {"Customer": entries}}))
    await importing.apply(reading, lambda done, total: told.append((done, total)))
    assert told == [(100, 130), (130, 130)]


async def test_an_answer_without_customers_designates_no_role(database: Database) -> None:
    before = await count(database)
    assert await imported() == ImportResult(0, 0, 0, [])
    assert await count(database) == before


async def test_a_record_with_only_some_of_its_fields_takes_nothing_away(database: Database) -> None:
    await imported(acme())
    before = await count(database)
    result = await imported({"Id": "7", "DisplayName": "Acme Ltd", "sparse": True})
    assert [(problem.external_id, "SELECT *" in problem.reason) for problem in result.problems] == [("7", True)]
    assert await count(database) == before


async def test_every_answer_imported_twice_leaves_nothing_new(database: Database, answers: list[Path]) -> None:
    readings = []
    for answer in answers:
        try:
            readings.append(read(answer.read_bytes()))
        except UnreadableDocument:
            continue
    assert readings
    for reading in readings:
        first = await importing.apply(reading)
        before = await count(database)
        again = await importing.apply(reading)
        assert again == ImportResult(0, 0, len(reading.customers), reading.problems)
        assert first.problems == reading.problems
        assert await count(database) == before
    assert await drift(database) == []
