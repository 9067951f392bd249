"""The progress of long commands: a bar on a terminal, a plain line now and then elsewhere. On stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# Called with what is done and the total.
Report = Callable[[int, int], None]

_LINES = 5


@contextmanager
def shown(what: str) -> Iterator[Report]:
    """Show the progress of `what` while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _in_lines(console, what)
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _in_lines(console: Console, what: str) -> Report:
    told = 0

    def report(done: int, total: int) -> None:
        nonlocal told
        part = _LINES * done // total if total else _LINES
        if part > told:
            told = part
            console.print(f"{what}: {done} of {total}", highlight=False, markup=False)

    return report
