"""The answer to a Customer query, read from fixtures in the documented format or from a folder of samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import values
from services.quickbooks_online.customer_query import CustomerRecord, Problem, Reading, UnreadableDocument, read

FIXTURES = Path(__file__).parent / "fixtures"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "answer" not in metafunc.fixturenames:
        return
    folder = metafunc.config.getoption("--erp-samples", default=None)
    samples = sorted(Path(folder).rglob("customer-query*.json")) if folder else []
    files = samples or sorted(FIXTURES.glob("*.json"))
    metafunc.parametrize("answer", files, ids=[file.name for file in files])


def document(*entries: Any) -> str:
    return json.dumps({"QueryResponse": {"Customer": list(entries), "startPosition": 1, "maxResults": len(entries)}})


def only(entry: dict[str, Any], **options: str) -> CustomerRecord:
    [record] = read(document({"Id": "1", "DisplayName": "Acme", **entry}), **options).customers
    return record


def page_1() -> Reading:
    return read((FIXTURES / "customer-query.page-1.json").read_bytes())


def reach(record: CustomerRecord) -> list[tuple[str, str, str | None, bool]]:
    return [(m["kind"], m["value"], m["label"], m["preferred"]) for m in record.methods]


def test_a_company_comes_with_addresses_methods_facts_and_its_company_contact() -> None:
    reading = page_1()
    company = reading.customers[0]
    assert reading.problems == []
    assert (company.external_id, company.name, company.kind) == ("101", "Thistle & Rowan Ltd", "COMPANY")
    assert company.active
    assert company.website == "https://www.thistle.example.com"
    assert company.billing_address == {
        "lines": ["Thistle Works", "14 Harbour Row"],
        "city": "Leith",
        "region": "Edinburgh",
        "postal_code": "EH6 0AA",
        "country": "GB",
    }
    assert company.shipping_address is None
    assert reach(company) == [
        ("EMAIL", "accounts@thistle.example.com", None, True),
        ("PHONE", "+442079460958", None, True),
        ("PHONE", "+441314960123;ext=45", "Alternate", False),
        ("MOBILE", "+447700900123", None, True),
        ("FAX", "+441314960124", None, True),
    ]
    assert company.facts == {
        "payment_terms_id": "3",
        "payment_terms_name": "Net 30",
        "currency": "GBP",
        "parent_external_id": None,
        "bill_with_parent": False,
        "fully_qualified_name": "Thistle & Rowan Ltd",
    }
    assert company.contact is not None
    assert (company.contact.first_name, company.contact.last_name) == ("Siân", "Ó Briain")
    assert company.contact.methods == company.methods


def test_a_sub_customer_names_its_parent_and_without_person_or_methods_has_no_contact() -> None:
    job = page_1().customers[1]
    assert (job.name, job.kind, job.contact, job.methods) == ("Pier refit", "PERSON", None, [])
    assert (job.facts["parent_external_id"], job.facts["bill_with_parent"]) == ("101", True)
    assert job.facts["fully_qualified_name"] == "Thistle & Rowan Ltd:Pier refit"


def test_an_inactive_customer_loses_the_mark_of_deletion() -> None:
    inactive = page_1().customers[2]
    assert (inactive.name, inactive.active) == ("Müller Söhne GmbH", False)
    assert inactive.facts["fully_qualified_name"] == "Müller Söhne GmbH"
    assert (
        only({"DisplayName": "A (deleted)", "FullyQualifiedName": "P (deleted 2):A (deleted)", "Active": False}).facts[
            "fully_qualified_name"
        ]
        == "P:A"
    )
    assert only({"DisplayName": "(deleted)", "Active": False}).name == "(deleted)"


def test_addresses_in_other_countries_are_read_with_their_numbers() -> None:
    german = page_1().customers[2]
    assert german.billing_address is not None
    assert german.billing_address["lines"] == ["Große Straße 7", "3. Stock"]
    assert german.billing_address["country"] == "DE"
    assert german.shipping_address is not None
    assert (german.shipping_address["lines"], german.shipping_address["postal_code"]) == (
        ["Lager Süd", "Tor 2"],
        "48143",
    )
    assert values.preferred(german.methods, "PHONE") == "+49541555010"
    assert german.contact is not None
    assert (german.contact.first_name, german.contact.last_name) == (None, "Müller")


def test_bad_values_cost_themselves_and_not_their_record() -> None:
    reading = read((FIXTURES / "customer-query.oddities.json").read_text("utf-8"))
    assert [(record.external_id, record.name) for record in reading.customers] == [
        ("201", "Larkspur Supplies"),
        ("202", "Branch"),
        ("203", "Lou Baptiste"),
        ("206", "Kept (deleted) as a name"),
        ("207", "Odd Name Inc"),
    ]
    odd = reading.customers[0]
    assert reach(odd) == [
        ("EMAIL", "ana@larkspur.example.com", None, True),
        ("EMAIL", "ap@larkspur.example.com", None, False),
        ("EMAIL", "invoices@larkspur.example.com", None, False),
        ("OTHER", "call Bob", "Phone", True),
        ("MOBILE", "+14155550101", None, True),
        ("MOBILE", "+14155550102", None, False),
        ("FAX", "+15555550100;ext=9", None, True),
    ]
    assert odd.website is None
    assert odd.billing_address is not None
    assert (odd.billing_address["lines"], odd.billing_address["city"]) == (["9 Quay", "Atlantis"], None)
    assert (odd.facts["currency"], odd.facts["payment_terms_id"], odd.facts["payment_terms_name"]) == (None, "5", None)
    assert odd.contact is not None
    assert (odd.contact.first_name, odd.contact.last_name) == ("Ana", None)
    assert [(problem.external_id, problem.field) for problem in reading.problems] == [
        ("201", "BillAddr.City"),
        ("201", "BillAddr.Country"),
        ("201", "PrimaryEmailAddr.Address"),
        ("201", "PrimaryPhone.FreeFormNumber"),
        ("201", "WebAddr.URI"),
        ("201", "CurrencyRef.value"),
        ("202", "PrimaryEmailAddr.Address"),
        *[(None, "Id"), ("204", "DisplayName"), ("205", None), (None, None), ("207", "DisplayName")],
    ]
    assert Problem("205", "deleted in QuickBooks") in reading.problems
    assert all("larkspur" not in problem.reason for problem in reading.problems)


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("a@example.com,b@example.com", ["a@example.com", "b@example.com"]),
        (" a@example.com ; ; b@example.com ", ["a@example.com", "b@example.com"]),
        ("a@example.com\nb@example.com", ["a@example.com", "b@example.com"]),
        ("Doe, Jane <a@example.com>, Bob B. <b@example.com>", ["a@example.com", "b@example.com"]),
        ("a@example.com, Roe, Rita <b@example.com>", ["a@example.com", "b@example.com"]),
        ('"Doe; Jane" <a@example.com>', ["a@example.com"]),
        ("<a@example.com>;mailto:b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com <a@example.com>", ["a@example.com"]),
    ],
)
def test_several_addresses_in_one_field_become_several_methods(written: str, addresses: list[str]) -> None:
    reading = read(document({"Id": "1", "DisplayName": "Acme", "PrimaryEmailAddr": {"Address": written}}))
    assert reading.problems == []
    assert [m["value"] for m in reading.customers[0].methods] == addresses
    assert [m["preferred"] for m in reading.customers[0].methods] == [True] + [False] * (len(addresses) - 1)


def test_more_than_twenty_methods_are_cut_and_reported() -> None:
    many = ", ".join(f"a{number}@example.com" for number in range(25))
    reading = read(document({"Id": "1", "DisplayName": "Acme", "PrimaryEmailAddr": {"Address": many}}))
    assert len(reading.customers[0].methods) == 20
    assert [problem.field for problem in reading.problems] == ["PrimaryEmailAddr.Address"]


def test_a_national_number_is_read_as_one_of_the_companys_own_country() -> None:
    phone = {"PrimaryPhone": {"FreeFormNumber": "020 7946 0958"}}
    assert only(phone, country="GB").methods[0]["value"] == "+442079460958"
    assert only(phone).methods[0]["kind"] == "OTHER"
    assert only({**phone, "BillAddr": {"Country": "UK"}}).methods[0]["value"] == "+442079460958"


def test_a_number_is_found_behind_a_remark_but_a_text_with_a_part_that_is_none_stays_whole() -> None:
    found = only({"PrimaryPhone": {"FreeFormNumber": "call Bob: 415-555-0101"}})
    assert reach(found) == [("PHONE", "+14155550101", None, True)]
    whole = only({"PrimaryPhone": {"FreeFormNumber": "415-555-0101 or his brother"}})
    assert reach(whole) == [("OTHER", "415-555-0101 or his brother", "Phone", True)]


def test_pages_may_come_as_an_array_or_one_after_another() -> None:
    first, second = document({"Id": "1", "DisplayName": "A"}), document({"Id": 2, "DisplayName": "B"})
    for whole in (
        f"[{first}, {second}]",
        f"{first}\n{second}\n",
        f"{first}{second}",
        f"\ufeff {first}\r\n\r\n{second}",
    ):
        assert [record.external_id for record in read(whole.encode()).customers] == ["1", "2"]
        assert read(whole) == read(whole.encode())


def test_the_same_record_on_two_pages_counts_once_and_a_changed_one_is_reported() -> None:
    old, new = {"Id": "1", "DisplayName": "Old"}, {"Id": "1", "DisplayName": "New"}
    assert read(document(old, old)) == read(document(old))
    reading = read(document(old, new))
    assert [record.name for record in reading.customers] == ["New"]
    assert [problem.external_id for problem in reading.problems] == ["1"]


def test_changes_with_deleted_entries_are_read_too() -> None:
    changes = [
        {"Customer": [{"Id": "1", "DisplayName": "A"}, {"Id": "2", "status": "Deleted"}]},
        {"Invoice": [{"Id": "3"}]},
    ]
    reading = read(json.dumps({"CDCResponse": [{"QueryResponse": changes}]}))
    assert [record.external_id for record in reading.customers] == ["1"]
    assert reading.problems == [Problem("2", "deleted in QuickBooks")]


FAULT = {"Error": [{"Message": "Query too long", "Detail": "Shorten it", "code": "4001"}], "type": "Validation"}


@pytest.mark.parametrize(
    ("unreadable", "message"),
    [
        ("", "empty"),
        (b"\xff\xfe{", "not UTF-8"),
        ("<?xml version='1.0'?><IntuitResponse/>", "XML.*application/json"),
        ('{"QueryResponse": {"Customer": [', "not JSON.*complete"),
        ("[" * 100_000, "levels too deep"),
        ("1" * 5_000, "number too long"),
        ("[]]", "not JSON"),
        ("{}", "no QueryResponse"),
        ('{"Customer": {"Id": "1"}}', "no QueryResponse"),
        ("[1]", "not an object"),
        ('{"QueryResponse": 1}', "not an object"),
        ('{"QueryResponse": {"Term": [{"Id": "1"}]}}', "holds Term, not customers"),
        (json.dumps({"Fault": FAULT}), r"Query too long: Shorten it \(code 4001\)"),
        (json.dumps({"QueryResponse": {"Customer": [], "Fault": FAULT}}), r"Query too long: Shorten it \(code 4001\)"),
        ('{"fault": {"error": [{"message": "Token expired", "code": "3200"}]}}', r"Token expired \(code 3200\)"),
        ('{"Fault": "odd"}', "gives no reason"),
    ],
)
def test_a_document_that_is_no_answer_is_refused_with_what_it_is(unreadable: bytes | str, message: str) -> None:
    with pytest.raises(UnreadableDocument, match=message):
        read(unreadable)


def test_every_answer_reads_into_clean_values_or_is_a_fault(answer: Path) -> None:
    try:
        reading = read(answer.read_bytes())
    except UnreadableDocument as unreadable:
        said = str(unreadable)
    else:
        assert_clean(reading)
        assert read(answer.read_text("utf-8")) == reading
        return
    assert "fault" in said


def assert_clean(reading: Reading) -> None:
    for record in reading.customers:
        assert record.external_id
        assert values.line(record.name, (), longest=500) == record.name
        stored = values.methods(record.methods, ())
        assert [{**method, "id": None} for method in stored] == [{"id": None, **method} for method in record.methods]
        for address in (record.billing_address, record.shipping_address):
            assert address is None or values.address(address, ()) == address
        assert record.website is None or values.url(record.website, ()) == record.website
    assert len({record.external_id for record in reading.customers}) == len(reading.customers)
    assert all(problem.reason for problem in reading.problems)


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20) | st.sampled_from(
    ["a@example.com, x", "415 555 0101", "www.example.com", "<a@b.co", "Deleted", '"', "A (deleted)", "USA", "1;2"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
ANY_ENTRY = st.dictionaries(
    st.sampled_from(["Id", "DisplayName", "FullyQualifiedName", "GivenName", "Active", "status", "BillWithParent"]),
    ANY_JSON,
)
ANY_PARTS = st.fixed_dictionaries(
    {},
    optional={
        "PrimaryEmailAddr": ANY_JSON | st.builds(lambda value: {"Address": value}, ANY_JSON),
        "Mobile": ANY_JSON | st.builds(lambda value: {"FreeFormNumber": value}, ANY_JSON),
        "WebAddr": st.builds(lambda value: {"URI": value}, ANY_JSON),
        "CurrencyRef": st.builds(lambda value: {"value": value}, ANY_JSON),
        "BillAddr": st.dictionaries(st.sampled_from(["Line1", "Line5", "City", "Country"]), ANY_JSON),
    },
)


@given(entry=st.builds(lambda entry, parts: {"Id": "1", "DisplayName": "A", **entry, **parts}, ANY_ENTRY, ANY_PARTS))
def test_whatever_an_entry_holds_it_reads_into_clean_values(entry: dict[str, Any]) -> None:
    assert_clean(read(document(entry)))


@given(text=st.text(max_size=40) | st.text('{}[]":, QueryResponse1', max_size=40), raw=st.binary(max_size=20))
def test_whatever_a_document_holds_it_is_read_or_unreadable(text: str, raw: bytes) -> None:
    for whole in (text, raw):
        try:
            assert_clean(read(whole))
        except UnreadableDocument:
            continue
