"""Without a mail server messages are kept in a folder."""

from __future__ import annotations

import asyncio
from mailbox import Maildir
from pathlib import Path

import pytest

from models import Database
from services import documents
from services.mail import Mail
from services.mail.delivering import Delivering
from tests.services.mail.sending import deliver, one, set_clock, shared, state, statuses, waiting

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("storage")]


async def test_messages_are_kept_where_the_reply_says(database: Database, tmp_path: Path) -> None:
    delivery = await one()
    await shared("jörg@example.com", "alan@example.com")
    folder = tmp_path / "some" / "mail"
    await deliver(Mail(maildir=folder))
    kept = {message["Message-ID"]: message for message in Maildir(folder)}
    assert len(kept) == 2
    assert "counterfoil@localhost" in kept[f"<{delivery['message_id']}>"]["From"]
    [after] = await state(database, delivery)
    assert after["status"] == "SENT"
    assert after["reply"].partition("kept as ")[2] in [path.name for path in (folder / "new").iterdir()]
    assert str(tmp_path) not in after["reply"]
    assert set((await statuses(database)).values()) == {"SENT"}
    assert await waiting(database) == []


async def test_a_folder_that_cannot_be_written_defers(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.write_text("a file")
    with set_clock() as clock:
        await one()
        await deliver(Mail(maildir=folder))
        [after] = await state(database)
        assert (after["status"], after["may_repeat"], str(folder) in after["reply"]) == ("DEFERRED", False, False)
        folder.unlink()
        clock.move(minutes=1)
        await deliver(Mail(maildir=folder))
    assert await statuses(database) == {"grace": "SENT"}


async def test_a_folder_that_hangs_does_so_no_longer_than_an_attempt(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(folder: Path, content: bytes) -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr("services.mail.attempting.keep", hang)
    await one()
    delivering = Delivering(Mail(maildir=tmp_path / "mail"), documents.current())
    while await delivering.round():
        delivering.end()
        delivering._attempts.hurry(0)
    [after] = await state(database)
    assert (after["status"], after["reply"]) == ("UNKNOWN", "The message was not written to the folder in time.")
