"""Processes that write through the recorder, and tell what was committed, until they are killed.

`python -m tests.audit.writer URL` imports everything once and then forks a writer for each line that it reads, so that
a test can start and kill many. A line says how many transactions the writer shall commit, 0 for no end. The writer
tells `writer PID`, and `done SEQ SEQ …` as soon as a transaction is acknowledged; at last `end STATUS` is told.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

import audit
import models
from models import Contact, Note
from tests.audit.rows import by_ada, insert


def tell(*words: object) -> None:
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def one_of_each(change: audit.Change) -> None:
    """Create a contact and a note at a new customer, change the contact, delete the note: five events."""
    contact = await insert(change, Contact)
    note = await insert(change, Note, customer_id=contact["customer_id"], body="A long text. " * 100)
    await change.update(Contact, contact, {"title": "Chief", "primary": True})
    await change.delete(Note, note)


async def write(url: str, commits: int) -> None:
    """Commit so many transactions, or write without end."""
    database = models.connect(url)
    await database.start()
    models.bind(database)
    for number in count(1):
        _, seqs = await by_ada(one_of_each)
        tell("done", *seqs)
        if number == commits:
            break
    await database.stop()


def main() -> None:
    """Fork a writer for each line of the standard input."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            tell("writer", os.getpid())
            asyncio.run(write(sys.argv[1], int(line)))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        tell("end", status)


if __name__ == "__main__":
    main()
