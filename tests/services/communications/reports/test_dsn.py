"""Bounce messages are read in many dialects, and whatever else is in the folder is none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DeliveryStatus
from services.communications.enhanced_status import address_fails, find_status
from services.communications.reports import dsn, mime
from tests.services.communications.reports.bounces import (
    EXCHANGE,
    INTERNATIONAL,
    OTHERS,
    PERSON,
    POSTFIX,
    SENDMAIL,
    SEVERAL,
    SEVERAL_STATUS,
    bounce,
)

MESSAGE_ID = "msg_01kwef3q8seemv6gzaf2w8kdhe@sender.example.com"
S = DeliveryStatus


def test_postfix_names_the_envelope() -> None:
    [report] = dsn.read(bounce(MESSAGE_ID))
    assert report.message_ids[0] == MESSAGE_ID
    assert set(report.recipients) == {"grace@example.com"}
    assert (report.status, report.address_failed) == (S.BOUNCED, True)
    said = "550 5.1.1 <grace@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    assert report.reply == said
    assert report.at == datetime(2030, 1, 1, 10, 0, 5, tzinfo=UTC)


def test_the_envelopes_id_may_be_written_as_xtext() -> None:
    envelope = MESSAGE_ID.replace("@", "+40").replace("_", "+5F")
    text = POSTFIX.format(message_id="another@example.com", envelope=envelope, recipient="grace@example.com")
    [report] = dsn.read(text.encode())
    assert MESSAGE_ID in report.message_ids


def test_sendmail_returns_headers_and_comments() -> None:
    [report] = dsn.read(bounce(MESSAGE_ID, text=SENDMAIL))
    assert list(report.message_ids) == [MESSAGE_ID]
    assert (report.status, report.reply, report.address_failed) == (S.DEFERRED, "4.4.1", False)
    assert report.at == datetime(2030, 1, 1, 9, 59, 58, tzinfo=UTC)


def test_exchange_says_in_the_diagnostic_code_what_the_status_does_not() -> None:
    [report] = dsn.read(bounce(MESSAGE_ID, text=EXCHANGE))
    assert list(report.message_ids) == [MESSAGE_ID]
    assert (report.status, report.address_failed) == (S.BOUNCED, True)
    assert str(report.reply).startswith("550 5.1.10 RESOLVER.ADR.RecipientNotFound;")


@pytest.mark.parametrize(
    "original",
    [
        "utf-8; δοκιμή@παράδειγμα.example.com",
        r"utf-8; \x{3B4}\x{3BF}\x{3BA}\x{3B9}\x{3BC}\x{3AE}@παράδειγμα.example.com",
        "utf-8; δοκιμή@xn--hxajbheg2az3al.example.com",
    ],
)
def test_international_addresses(original: str) -> None:
    [report] = dsn.read(INTERNATIONAL.format(envelope=MESSAGE_ID, original=original).encode())
    assert "δοκιμή@παράδειγμα.example.com" in report.recipients
    assert "elsewhere@example.net" in report.recipients
    assert (report.reply, report.address_failed) == ("551 5.1.6 Ziehen Sie um: δοκιμή", True)


def test_several_recipients_in_one_report() -> None:
    status = base64.encodebytes(SEVERAL_STATUS.encode()).decode()
    reports = dsn.read(SEVERAL.format(status=status, message_id=MESSAGE_ID).encode())
    assert [(report.status, report.recipients[0]) for report in reports] == [
        (S.DELIVERED, "Grace@example.com"),
        (S.DELIVERED, "alan@example.com"),
        (S.BOUNCED, "nobody@example.com"),
    ]
    assert len({report.id for report in reports}) == 3
    assert list(reports[0].message_ids) == [MESSAGE_ID, "another@relay.example.net"]
    assert not any(report.address_failed for report in reports)


def test_what_names_more_recipients_than_an_email_has_is_no_report() -> None:
    group = b"Final-Recipient: rfc822;a@b\n\nAction: failed\n\n"
    data = bounce(MESSAGE_ID).replace(b"Final-Recipient:", group * dsn.MOST_RECIPIENTS + b"Final-Recipient:", 1)
    with pytest.raises(dsn.NotAReport, match="500 recipients"):
        dsn.read(data)


def test_no_more_parts_are_made_than_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    parse = mime.parse

    def counted(data: bytes) -> mime.Part:
        nonlocal made
        made += 1
        return parse(data)

    message = parse(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 10_000)
    monkeypatch.setattr(mime, "parse", counted)
    assert (len(list(mime.parts(message))), made) == (100, 99)


def test_the_same_report_has_the_same_id_with_other_trace_headers() -> None:
    data = bounce(MESSAGE_ID)
    again = b"Delivered-To: bounces@sender.example.com\r\n" + data.replace(b"\r\n", b"\n")
    assert [report.id for report in dsn.read(data)] == [report.id for report in dsn.read(again)]
    assert dsn.read(data)[0].id != dsn.read(data.replace(b"Action: failed", b"Action: delayed"))[0].id


@pytest.mark.parametrize("action", ["relayed", "delivered", "expanded", "failed", "delayed", "FAILED", "forgotten"])
def test_actions(action: str) -> None:
    found = dsn.read(bounce(MESSAGE_ID).replace(b"Action: failed", f"Action: {action}".encode()))
    expected = {"relayed": S.SENT, "delivered": S.DELIVERED, "expanded": S.DELIVERED, "delayed": S.DEFERRED}
    expected |= {"failed": S.BOUNCED, "FAILED": S.BOUNCED}
    assert [report.status for report in found] == ([expected[action]] if action in expected else [])


@pytest.mark.parametrize("text", [*OTHERS.values(), PERSON], ids=[*OTHERS, "a person"])
def test_whatever_else_is_there_is_no_report(text: str) -> None:
    with pytest.raises(dsn.NotAReport):
        dsn.read(text.encode())


def read_or_refuse(data: bytes) -> None:
    try:
        found = dsn.read(data)
    except dsn.NotAReport:
        return
    assert all(report.id and report.message_ids for report in found)


DIALECTS = [bounce(MESSAGE_ID, text=text) for text in (POSTFIX, SENDMAIL, EXCHANGE)]
LINES = [line for text in DIALECTS for line in text.split(b"\r\n")]
ODD = st.sampled_from(
    [b"", b"\0", b"\xff\xfe", b"--b", b"=?utf-8?q?=ff?=", b"Content-Transfer-Encoding: base64", b"\\x{D800}"]
)


@given(data=st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    read_or_refuse(data)
    read_or_refuse(
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n" + data
    )


@given(
    text=st.sampled_from(DIALECTS),
    at=st.integers(0, 5000),
    length=st.integers(0, 400),
    odd=ODD | st.sampled_from(LINES),
)
def test_what_has_been_damaged_on_the_way_is_read_or_refused(text: bytes, at: int, length: int, odd: bytes) -> None:
    read_or_refuse(text[:at] + odd + text[at + length :])


def test_which_codes_say_that_an_address_is_dead() -> None:
    dead = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.1", "5.4.4"]
    alive = [
        "5.0.0",
        "5.1.0",
        "5.1.7",
        "5.1.8",
        "5.2.2",
        "5.3.4",
        "5.4.6",
        "5.4.7",
        "5.7.1",
        "5.7.26",
        "4.1.1",
        "2.1.5",
    ]
    assert [code for code in dead if not address_fails(code)] == []
    assert [code for code in [*alive, None, "", "5.1", "15.1.1", "5.1.11.1"] if address_fails(code)] == []
    assert find_status("550-5.1.1 The email account") == "5.1.1"
    assert find_status("550 5.01.001 [192.0.2.25] said no") == "5.1.1"
    assert find_status("host 10.5.1.1 said no") is None
