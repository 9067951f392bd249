"""Conversations with the mail server: encryption, signing in, patience, and what the server can do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from models import Database
from services.mail import Encryption
from tests.counterfoil.log_lines import told
from tests.services.mail.sending import deliver, one, set_clock, shared, state, statuses, waiting
from tests.smtp_server import PASSWORD, SENDER, STALL, USER, SmtpServer, authority, smtp_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]

HERE = "127.0.0.1"


@pytest.mark.parametrize("encryption", [Encryption.REQUIRED, Encryption.OFFERED, Encryption.IMPLICIT])
async def test_it_signs_in_over_an_encrypted_connection(
    database: Database, tmp_path: Path, encryption: Encryption
) -> None:
    ca, trusted = authority(tmp_path)
    await one()
    async with smtp_server(encryption=encryption, certificate=ca.issue_cert(HERE), sign_in=True) as server:
        await deliver(server.settings(signed_in=True, ca_file=trusted))
    assert (len(server.taken), await statuses(database)) == (1, {"grace": "SENT"})


@pytest.mark.parametrize("encryption", [Encryption.REQUIRED, Encryption.OFFERED, Encryption.IMPLICIT])
@pytest.mark.parametrize("wrong", ["unknown authority", "other host"])
async def test_a_certificate_that_proves_nothing_ends_it_before_anything_is_said(
    database: Database, tmp_path: Path, encryption: Encryption, wrong: str
) -> None:
    ca, trusted = authority(tmp_path)
    await one()
    certificate = ca.issue_cert("mail.example.com" if wrong == "other host" else HERE)
    async with smtp_server(encryption=encryption, certificate=certificate, sign_in=True) as server:
        await deliver(server.settings(signed_in=True, ca_file=trusted if wrong == "other host" else None))
    [after] = await state(database)
    assert (after["status"], "certificate verify failed" in after["reply"].lower()) == ("DEFERRED", True)
    assert server.received == []


async def test_without_starttls_a_message_waits_where_it_is_required(database: Database) -> None:
    await one()
    async with smtp_server() as server:
        await deliver(server.settings(encryption=Encryption.REQUIRED))
        [after] = await state(database)
        assert after["status"] == "DEFERRED"
        assert "offers no encryption (STARTTLS), and the settings require it" in after["reply"]
    with set_clock() as clock:
        clock.move(minutes=1)
        async with smtp_server() as server:
            await deliver(server.settings(encryption=Encryption.OFFERED))
    assert (len(server.taken), await statuses(database)) == (1, {"grace": "SENT"})


async def test_the_password_does_not_cross_a_network_in_the_clear(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one()
    monkeypatch.setattr("services.mail.session.is_here", lambda _: False)
    async with smtp_server(sign_in=True) as server:
        await deliver(server.settings(encryption=Encryption.OFFERED, signed_in=True))
    [after] = await state(database)
    assert after["reply"] == "The connection is not encrypted, so the password was not sent."
    assert after["status"] == "DEFERRED"


async def test_a_wrong_password_defers_and_is_told_without_quoting_it(database: Database) -> None:
    await one()
    async with smtp_server(sign_in=True) as server:
        settings = server.settings(user=USER, password="wrong secret")
        with told() as lines:
            await deliver(settings)
    [after] = await state(database)
    assert after["status"] == "DEFERRED"
    assert after["reply"].startswith("The mail server refused to sign us in: 535 5.7.8")
    assert not any("wrong secret" in str(part) for part in (lines, after, settings, settings.smtp))
    assert [line["event"] for line in lines] == ["mail server not reached"]


async def test_a_server_that_wants_us_to_sign_in_first_defers(database: Database) -> None:
    await one()
    async with smtp_server(sign_in=True) as server:
        await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], after["reply"][:3]) == ("DEFERRED", "530")


@pytest.mark.parametrize("step", ["greetings", "mail", "data"])
async def test_a_server_that_stalls_is_left_after_a_while(database: Database, step: str) -> None:
    await one()
    async with smtp_server() as server:
        setattr(server, step, [STALL])
        await deliver(server.settings(timeout=0.1))
    [after] = await state(database)
    assert (after["status"], after["may_repeat"]) == ("DEFERRED", False)
    assert "Timed out" in after["reply"]


async def test_a_server_that_stalls_after_the_content_may_have_the_message(database: Database) -> None:
    await one()
    async with smtp_server() as server:
        server.content = [STALL]
        await deliver(server.settings(timeout=0.1, lease=1))
    [after] = await state(database)
    assert (after["status"], after["may_repeat"]) == ("UNKNOWN", True)
    assert after["reply"] == "The mail server did not answer in time."
    assert len(await waiting(database)) == 1


async def test_who_stalls_keeps_nobody_else_waiting(database: Database) -> None:
    await one("slow@example.com")
    for number in range(5):
        await one(f"{number}@example.com")
    async with smtp_server() as server:
        server.recipients["slow@example.com"] = [STALL]
        await deliver(server.settings(timeout=1.5, connections=2))
        assert [received.recipients[0][0] for received in server.received] == list("01234")
        events = await database.fetch("SELECT subject_id FROM event WHERE action = 'delivery.updated' ORDER BY seq")
        [slow] = [row["id"] for row in await state(database) if row["email"] == "slow@example.com"]
    assert [event["subject_id"] for event in events].index(slow) == 5


async def test_reports_are_asked_for_where_the_server_knows_them(database: Database) -> None:
    first = await one("grace+billing=a@example.com")
    async with smtp_server(dsn=True) as server:
        await deliver(server.settings())
        [taken] = server.taken
        assert " RET=HDRS " in taken.mail_options
        assert f" ENVID={first['message_id']}" in taken.mail_options
        [options] = taken.rcpt_options
        assert " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;grace+2Bbilling+3Da@example.com" in options
        await one()
        await deliver(server.settings(dsn=False))
        assert "NOTIFY" not in server.taken[1].rcpt_options[0]
    async with smtp_server(dsn=False) as server:
        await one()
        await deliver(server.settings())
        assert ("RET" in server.taken[0].mail_options, "NOTIFY" in server.taken[0].rcpt_options[0]) == (False, False)


async def test_international_addresses_need_a_server_that_takes_them(database: Database) -> None:
    await shared("jörg@bücher.example", "grace@example.com")
    async with smtp_server(enable_SMTPUTF8=False) as server:
        await deliver(server.settings())
    assert await statuses(database) == {"jörg": "FAILED", "grace": "SENT"}
    [failed] = [row for row in await state(database) if row["email"].startswith("jörg")]
    assert "SMTPUTF8" in failed["reply"]
    [taken] = server.taken
    assert (taken.recipients, taken.content.isascii()) == (["grace@example.com"], True)
    await shared("jörg@bücher.example", "grace@example.com")
    async with smtp_server(dsn=True) as server:
        await deliver(server.settings())
    [taken] = server.taken
    assert set(taken.recipients) == {"jörg@xn--bcher-kva.example", "grace@example.com"}
    assert "SMTPUTF8" in taken.mail_options
    assert any(r"ORCPT=utf-8;j\x{F6}rg@xn--bcher-kva.example" in options for options in taken.rcpt_options)


async def test_an_international_domain_alone_is_sent_in_ascii(database: Database) -> None:
    await one("grace@bücher.example")
    async with smtp_server(enable_SMTPUTF8=False) as server:
        await deliver(server.settings())
    assert server.taken[0].recipients == ["grace@xn--bcher-kva.example"]


async def test_a_message_that_is_too_large_for_the_server_fails_with_the_reason(database: Database) -> None:
    await one()
    async with smtp_server(data_size_limit=300) as server:
        await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], server.received) == ("FAILED", [])
    assert after["reply"].endswith("bytes, and the mail server takes 300 at most.")


@pytest.mark.parametrize(
    "address", ["no address", "two@at@example.com", "grace@example.com> NOTIFY=NEVER", "a@b\r\nRCPT TO:<x@y.example>"]
)
async def test_what_is_no_address_never_reaches_the_server(database: Database, address: str) -> None:
    await shared(address, "grace@example.com")
    async with smtp_server() as server:
        await deliver(server.settings())
    [bad] = [row for row in await state(database) if row["email"] == address]
    assert (bad["status"], server.taken[0].recipients) == ("FAILED", ["grace@example.com"])


async def test_a_reply_in_strange_letters_is_kept_readable(database: Database) -> None:
    await one()
    async with smtp_server() as server:
        server.recipients["grace@example.com"] = ["550-5.1.1 nobody\r\n550 5.1.1 na\udce4h\x00 there"]
        await deliver(server.settings())
    [after] = await state(database)
    assert (after["status"], after["reply"]) == ("FAILED", "550 5.1.1 nobody 5.1.1 na�h there")


def test_settings_do_not_show_the_password() -> None:
    settings = SmtpServer().settings(signed_in=True)
    assert (settings.sender, PASSWORD in repr(settings)) == (SENDER, False)
    assert dataclasses.replace(settings, batch=3).batch == 3
