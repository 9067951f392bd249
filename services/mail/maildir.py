"""Where messages go when there is no mail server: a Maildir, which mail programs open."""

from __future__ import annotations

import asyncio
import os
import sys
from mailbox import Maildir
from pathlib import Path


async def keep(folder: Path, content: bytes) -> str:
    """Add a message, so that it survives a loss of power; says as what, for people. OSError.

    The reply names the file only: where the folder is concerns whoever runs this machine.
    """
    name = await asyncio.to_thread(_add, folder, content)
    return f"No mail server is set: kept as {name}"


def _add(folder: Path, content: bytes) -> str:
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = Maildir(folder).add(content)
    if sys.platform != "win32":  # it opens no folders
        descriptor = os.open(folder / "new", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return name
