"""`mail ingest`: bounce messages from a folder or standard input."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest

from models import Database, DeliveryStatus, Row
from tests.counterfoil.command_line import look, run
from tests.services.communications.drafts import addressee, contact_at, draft, recorded, settled
from tests.services.communications.reports.bounces import PERSON, SENDMAIL, bounce


@pytest.fixture
def delivery(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Row:
    """A delivery that a mail server took."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    async def make(_database: Database) -> Row:
        _, [made] = await recorded(draft(addressee(await contact_at())))
        [row] = await settled(made, DeliveryStatus.SENT)
        return row

    return look(database_url, make)


def status(url: str) -> str:
    async def read(database: Database) -> str:
        return str((await database.fetch("SELECT status FROM delivery"))[0]["status"])

    return look(url, read)


def test_a_message_is_piped_in(delivery: Row, database_url: str) -> None:
    text = bounce(delivery["message_id"]).decode()
    done = run("mail", "ingest", stdin=text)
    told = "1 messages: 1 reports taken in, 0 known already, 0 about other emails; 0 messages are no reports."
    assert (done.exit_code, done.stdout.strip()) == (0, told)
    assert status(database_url) == "BOUNCED"
    assert "0 reports taken in, 1 known already" in run("mail", "ingest", "-", stdin=text).stdout
    other = run("mail", "ingest", stdin=PERSON)
    assert (other.exit_code, "1 messages are no reports" in other.stdout) == (0, True)
    assert other.stderr.strip() == "standard input: left: it is not a delivery status notification (RFC 3464)"


def test_a_maildir_is_read(delivery: Row, database_url: str, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Maildir")
    box.add(bounce(delivery["message_id"], text=SENDMAIL))
    assert "1 reports taken in" in run("mail", "ingest", str(tmp_path / "Maildir")).stdout
    assert status(database_url) == "DEFERRED"
    assert run("mail", "ingest", str(tmp_path / "Maildir")).stdout.startswith("0 messages: ")


def test_what_cannot_be_read_is_told(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    for path in (tmp_path / "nothing", tmp_path):
        done = run("mail", "ingest", str(path))
        assert (done.exit_code, "cannot read" in done.stderr) == (1, True)


def test_a_mail_server_is_told_to_come_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none/none.db")
    assert run("mail", "ingest", stdin=PERSON).exit_code == 75
    (tmp_path / "one").write_text(PERSON)
    assert run("mail", "ingest", str(tmp_path / "one")).exit_code == 1
