"""The format of events: what the RFCs say, and nothing left out of the leaf."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from audit import event
from audit.table import Event
from models import Contact, Customer, Database, Note
from models.registry import AUDITED
from models.table import columns
from tests.audit.rows import ADA, by_ada, disclosed, email, events, insert

pytestmark = pytest.mark.anyio

# RFC 9901, sections 4.2.1 and 4.2.3.
RFC_DISCLOSURE = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
RFC_DIGEST = "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_disclosure_is_read_and_digested_as_rfc_9901_says() -> None:
    assert event.read_disclosure(RFC_DISCLOSURE) == ("family_name", "Möbius")
    assert event.digest(RFC_DISCLOSURE) == RFC_DIGEST


def test_a_leaf_is_hashed_as_rfc_6962_says() -> None:
    # The test vectors of the reference implementation of Certificate Transparency.
    assert event.leaf_hash("") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert event.leaf_hash("L123456") == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"


@given(name=st.text(), value=JSON)
def test_what_is_disclosed_is_read_back(name: str, value: Any) -> None:
    text = event.disclosure(name, value)
    assert event.read_disclosure(text) == (name, value)
    assert event.read_disclosures(json.dumps([text, text])) == [(name, value)] * 2


def test_equal_values_are_disclosed_with_different_salts_of_128_bits() -> None:
    texts = [event.disclosure("name", "Ada") for _ in range(100)]
    salts = {json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[0] for text in texts}
    assert len(salts) == len({event.digest(text) for text in texts}) == 100
    assert all(len(base64.urlsafe_b64decode(salt + "==")) == 16 for salt in salts)


def test_no_column_is_called_like_what_an_event_discloses_of_its_own() -> None:
    own = {event.ACTOR_NAME, event.SUBJECT_LABEL, event.CUSTOMER_LABEL, event.REASON, event.CLIENT_ADDRESS}
    assert [name for table in AUDITED for name in columns(table) if name in own] == []


async def test_a_leaf_says_all_that_the_columns_say_and_names_all_details(database: Database) -> None:
    await by_ada(lambda change: insert(change, Note), reason="They asked for it")
    assert len(await events(database)) == 2
    for row in await events(database):
        leaf = json.loads(row["leaf"])
        digests = leaf.pop("disclosures")
        assert leaf.keys() == set(columns(Event)) - {"leaf", "leaf_hash"}
        assert leaf == {name: event.instant(row[name]) if name == "at" else row[name] for name in leaf}
        details = await database.fetch("SELECT disclosures FROM event_detail WHERE seq = ?", row["seq"])
        texts = [text for detail in details for text in json.loads(detail["disclosures"])]
        assert digests == sorted(map(event.digest, texts))
        assert len(set(digests)) == len(digests)


async def test_a_leaf_is_canonical_json(database: Database) -> None:
    await by_ada(lambda change: insert(change, Contact))
    for row in await events(database):
        # All of a leaf's keys and values are ASCII, where RFC 8785 is this.
        assert row["leaf"].isascii()
        assert row["leaf"] == json.dumps(json.loads(row["leaf"]), sort_keys=True, separators=(",", ":"))
        assert row["leaf_hash"] == event.leaf_hash(row["leaf"])


async def test_an_event_itself_holds_no_value_that_could_be_personal(database: Database) -> None:
    async def work(change: audit.Change) -> None:
        contact = await insert(change, Contact, last_name="Lovelace", methods=[email("a@b.example")])
        await insert(change, Note, body="Marylebone", customer_id=contact["customer_id"], contact_id=contact["id"])

    await by_ada(work, reason="Because of Babbage")
    told = json.dumps(await events(database), default=str)
    for value in ("Lovelace", "Marylebone", "a@b.example", "Babbage", "Bäckerei", ADA.name):
        assert value not in told


async def test_details_stand_apart_for_each_person_that_they_are_about(database: Database) -> None:
    contact, (_, seq) = await by_ada(lambda change: insert(change, Contact, last_name="Lovelace"), reason="New")
    details = await disclosed(database, seq)
    customer = await database.fetch("SELECT name FROM customer WHERE id = ?", contact["customer_id"])
    assert details[contact["customer_id"]] == {"customer.label": customer[0]["name"]}
    assert details[str(ADA.id)] == {"actor.name": ADA.name}
    assert details.keys() == {contact["id"], contact["customer_id"], ADA.id}
    assert details[contact["id"]]["reason"] == "New"
    assert details[contact["id"]]["subject.label"] == "Lovelace"


async def test_what_happens_at_a_customer_stands_in_its_history(database: Database) -> None:
    note, _ = await by_ada(lambda change: insert(change, Note))
    told = [(row["action"], row["category"], row["customer_id"]) for row in await events(database)]
    assert told == [("customer.created", "profile", note["customer_id"]), ("note.created", "note", note["customer_id"])]
    assert await database.fetch(f"SELECT id FROM {Customer._meta.tablename}") == [{"id": note["customer_id"]}]
