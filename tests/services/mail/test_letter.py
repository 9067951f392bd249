"""The bytes that leave: what people call themselves cannot become a header, and a repeat is the same."""

from __future__ import annotations

import email
import hashlib
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import CommunicationKind, Contact, Database, Settings
from models.preference_values import COMPANY
from services.communications import Attachment, Message
from services.communications.reports import HEADER
from services.documents import Storage
from services.documents.storage import content_path
from services.mail import Mail
from services.mail.letter import File, Letter, write
from services.password_links import PLACEHOLDER
from services.tokens import token_hash
from tests.audit.rows import by_ada, new, updated
from tests.audit.rows import email as email_method
from tests.services.communications.drafts import addressee, contact_at, draft, recorded
from tests.services.mail.sending import deliver, one, set_clock, state, statuses
from tests.smtp_server import smtp_server

ME = Mail(sender="me@example.com")
HEADERS = ["Date", "From", "Reply-To", "To", "Subject", "Message-ID", HEADER, "MIME-Version", "Content-Type"]
NAMES = [
    "Grace\r\nBcc: evil@example.com",
    'Hopper, "Grace" <evil@example.com>',
    "Müller, Grace <evil@example.com>, other",
    "=?utf-8?q?=0D=0ABcc:_evil@example.com?=",
    "😀 " * 150,
    "a" * 1000,
    "\\",
    "",
    "\u2028\x00\x85",
]


def letter(name: str, subject: str, *, company: str = "Krume", **communication: Any) -> Letter:
    delivery = {"id": "dlv_1", "name": name, "email": "grace@example.com", "field": "TO", "status": "QUEUED"}
    made = {"kind": "STATEMENT", "sent_by": {"kind": "USER", "id": "usr_1"}, "attachments": [], **communication}
    made["created_at"] = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    settings = {"company": {"name": company}, "reply_to": "answers@example.com"}
    return Letter(
        {"message_id": "msg_1@example.com", "waiting": None}, made, [delivery | {"subject_line": subject}], settings
    )


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def check(name: str, subject: str, file_name: str) -> None:
    content = write(
        letter(name, subject, company=name),
        ME,
        "Hi",
        None,
        [File(file_name, "text/plain", b"x")],
        utf8=False,
    )
    head = content.partition(b"\r\n\r\n")[0]
    message = parsed(content)
    assert message.keys() == HEADERS
    assert [each.addr_spec for each in message["To"].addresses] == ["grace@example.com"]
    assert [each.addr_spec for each in message["From"].addresses] == ["me@example.com"]
    assert content.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    raw = email.message_from_bytes(content)
    cleaned = str(make_header(decode_header(str(raw["Subject"])))).split()
    assert [part for part in cleaned if part in subject] == cleaned


@pytest.mark.parametrize("name", NAMES)
def test_names_and_subjects_cannot_inject_headers_or_recipients(name: str) -> None:
    check(name, name, name)


@given(st.text(max_size=120), st.text(max_size=300), st.text(min_size=1, max_size=80))
def test_no_text_at_all_can(name: str, subject: str, file_name: str) -> None:
    check(name, subject, file_name)


def test_names_are_read_as_they_were_written() -> None:
    for name in ("Grace Hopper", 'Hopper, "Grace"', "Jürgen Müller", "山田太郎", "O'Neil (Billing)", "a.b"):
        message = parsed(write(letter(name, name), ME, "Hi", None, [], utf8=False))
        assert (message["To"].addresses[0].display_name, message["Subject"]) == (name, name)


@pytest.mark.parametrize(
    "said", ["", "text", "text/", "multipart/mixed", "message/rfc822", "a/b\r\nX: y", "text/csv; x=y"]
)
def test_an_odd_media_type_does_not_spoil_the_message(said: str) -> None:
    message = parsed(write(letter("G", "S"), ME, "Hi", "<p>Hi</p>", [File("a.csv", said, b"1,2")], utf8=False))
    [attached] = message.iter_attachments()
    expected = "text/csv" if said.startswith("text/csv") else "application/octet-stream"
    assert (attached.get_content_type(), attached.get_filename()) == (expected, "a.csv")
    assert attached.get_payload(decode=True) == b"1,2"
    assert message.get_body(("html",)) is not None


def test_what_nobody_sent_by_hand_says_so() -> None:
    for kind, identifier, said in (
        ("SYSTEM", None, "auto-generated"),
        ("SYSTEM", "key_1", None),
        ("USER", "usr_1", None),
    ):
        made = letter("G", "S", sent_by={"kind": kind, "id": identifier})
        assert parsed(write(made, ME, "Hi", None, [], utf8=False))["Auto-Submitted"] == said


def test_lines_with_a_dot_long_lines_and_all_letters_arrive_as_they_are() -> None:
    text = ".\n..\n" + "x" * 5000 + "\nFrom me\näöü 😀\n"
    message = parsed(write(letter("G", "S"), ME, text, None, [], utf8=False))
    assert message.get_content().replace("\r\n", "\n") == text


@pytest.mark.anyio
async def test_company_reply_to_and_date_are_those_of_the_settings_and_of_the_communication(
    database: Database, storage: Storage
) -> None:
    company = {**dict.fromkeys(COMPANY), "name": "Krume & Söhne"}
    await new(Settings, company=company, reply_to="answers@example.com")
    with set_clock() as clock:
        await one()
        sent_at = clock.now
        clock.move(hours=3)
        async with smtp_server() as server:
            await deliver(server.settings())
    message = server.taken[0].message
    assert str(message["From"]) == "Krume & Söhne <accounts@example.com>"
    assert message["Reply-To"].addresses[0].addr_spec == "answers@example.com"
    assert message["Date"].datetime == sent_at.replace(microsecond=0)


@pytest.mark.anyio
async def test_attachments_come_from_the_document_storage(database: Database, storage: Storage) -> None:
    content = bytes(range(256)) * 9000
    sha256 = hashlib.sha256(content).hexdigest()
    async with storage.writing(content_path(sha256)) as writer:
        await writer.write(content)
    kept = Attachment("Rechnung Nº 7.pdf", "application/pdf", len(content), sha256)
    lost = Attachment("Lost.pdf", "application/pdf", 3, "ab" * 32)
    await one(attachments=[kept, kept])
    await one("other@example.com", attachments=[kept, lost])
    async with smtp_server() as server:
        await deliver(server.settings())
    assert await statuses(database) == {"grace": "SENT", "other": "FAILED"}
    [failed] = [row for row in await state(database) if row["status"] == "FAILED"]
    assert failed["reply"] == "The bytes of the attachment Lost.pdf are missing."
    attached = list(server.taken[0].message.iter_attachments())
    assert [part.get_filename() for part in attached] == ["Rechnung Nº 7.pdf"] * 2
    assert attached[0].get_payload(decode=True) == content


@pytest.mark.anyio
async def test_a_link_to_set_a_password_has_a_new_token_for_each_attempt_and_none_in_the_log(
    database: Database, storage: Storage
) -> None:
    grace = await contact_at()
    link = f"https://portal.example.com/{PLACEHOLDER}"
    message = Message("Welcome", f"Hi {link}", f'<a href="{link}">Hi</a>')
    await recorded(draft(addressee(grace, message=message), kind=CommunicationKind.WELCOME))
    with set_clock() as clock:
        async with smtp_server() as server:
            server.content = ["451 later"]
            await deliver(server.settings())
            clock.move(minutes=1)
            await deliver(server.settings())
    tokens = [each.message.get_body(("plain",)).get_content().split("/")[-1].strip() for each in server.received]  # type: ignore[union-attr]
    assert len(set(tokens)) == 2
    links = await database.fetch("SELECT id FROM password_link WHERE contact_id = ?", grace["id"])
    assert {row["id"] for row in links} == {token_hash(token) for token in tokens}
    assert tokens[1] in server.received[1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    [after] = await state(database)
    assert (after["text"], after["html"]) == (message.text, message.html)


@pytest.mark.anyio
async def test_a_link_only_leaves_for_the_address_of_an_active_contact_and_for_the_portal(
    database: Database, storage: Storage
) -> None:
    there, here = f"https://portal.example.com/#{PLACEHOLDER}", f"http://127.0.0.1:8000/portal/#{PLACEHOLDER}"
    people = {
        name: await contact_at(address=f"{name}@example.com") for name in ("same", "moved", "away", "gone", "local")
    }
    for name, person in people.items():
        message = Message("Welcome", here if name == "local" else there)
        await recorded(draft(addressee(person, message=message), kind=CommunicationKind.SET_PASSWORD))
    await updated(Contact, people["same"], methods=[email_method("SAME@example.com")])
    await updated(Contact, people["moved"], methods=[email_method("new@example.com")])
    await updated(Contact, people["away"], active=False)
    await by_ada(lambda change: change.delete(Contact, people["gone"]))
    async with smtp_server() as server:
        await deliver(server.settings(portal_url="https://portal.example.com"))
    assert [each.recipients for each in server.received] == [["same@example.com"]]
    said = {row["email"].partition("@")[0]: (row["status"], row["reply"]) for row in await state(database)}
    assert {name: status for name, (status, _) in said.items()} == {"same": "SENT"} | dict.fromkeys(
        ("moved", "away", "gone", "local"), "FAILED"
    )
    assert all("sendPasswordLink" in said[name][1] for name in ("moved", "away", "gone", "local"))
    assert "COUNTERFOIL_PORTAL_URL" in said["local"][1]
    assert [row["contact_id"] for row in await database.fetch("SELECT contact_id FROM password_link")] == [
        people["same"]["id"]
    ]


@pytest.mark.anyio
async def test_links_may_lead_to_this_machine_where_the_settings_say_so(database: Database, storage: Storage) -> None:
    message = Message("Welcome", f"http://127.0.0.1:8000/portal/#{PLACEHOLDER}")
    await recorded(draft(addressee(await contact_at(), message=message), kind=CommunicationKind.WELCOME))
    async with smtp_server() as server:
        await deliver(server.settings(portal_url="http://127.0.0.1:3000"))
    assert len(server.taken) == 1
