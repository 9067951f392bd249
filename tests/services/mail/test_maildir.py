"""Without a mail server messages are kept in a folder."""

from __future__ import annotations

from mailbox import Maildir
from pathlib import Path

import pytest

from models import Database
from services.mail import Mail
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
    assert after["reply"].partition("kept as ")[2] in map(str, (folder / "new").iterdir())
    assert set((await statuses(database)).values()) == {"SENT"}
    assert await waiting(database) == []


async def test_a_folder_that_cannot_be_written_defers(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.write_text("a file")
    with set_clock() as clock:
        await one()
        await deliver(Mail(maildir=folder))
        [after] = await state(database)
        assert (after["status"], after["may_repeat"], str(folder) in after["reply"]) == ("DEFERRED", False, True)
        folder.unlink()
        clock.move(minutes=1)
        await deliver(Mail(maildir=folder))
    assert await statuses(database) == {"grace": "SENT"}
