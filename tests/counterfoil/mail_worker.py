"""Workers that a test can kill: `python -m tests.counterfoil.mail_worker` forks one for each line that it reads.

It imports everything once, so that a worker begins at once; then it does what `python -m counterfoil worker` does, with
the settings of its environment. `worker PID` is told when it begins, `end STATUS` when it has ended. The line `once`
begins one that ends by itself.
"""

from __future__ import annotations

import asyncio
import os
import sys

from counterfoil import logs, migrating
from counterfoil.cli.worker import work
from counterfoil.settings import read_settings


def tell(*words: object) -> None:
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Fork a worker for each line of the standard input."""
    settings = read_settings()
    logs.configure(settings.log_level)
    migrating.expected(settings.database_url)  # it loads what commands load
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(settings, once=line.strip() == "once"))
            os._exit(0)
        tell("worker", pid)
        _, status = os.waitpid(pid, 0)
        tell("end", status)


if __name__ == "__main__":
    main()
