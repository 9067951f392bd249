"""`python -m bench`: seeds what is missing, measures, and writes bench/RESULTS.md."""

from __future__ import annotations

import signal
import sys
import tempfile
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import attacks, mail, stores
from bench.batches import BATCHES
from bench.measuring import Measuring, load_generator
from bench.report import write_report
from bench.scale import FULL, QUICK
from bench.scenarios import scenarios, stores_of

RESULTS = Path(__file__).with_name("RESULTS.md")


class Dialect(Enum):
    """Which database."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Name(Enum):
    """Which scenario."""

    LIST = "list"
    ONE = "one"
    PROFILE = "profile"
    SEARCH_RARE = "search-rare"
    SEARCH_FREQUENT = "search-frequent"
    WRITE = "write"
    UPDATE = "update"
    HISTORY = "history"
    HISTORY_VIEW = "history-view"
    RECIPIENTS = "recipients"
    MAIL = mail.NAME
    DOOR = "door"
    ATTACKS = attacks.NAME


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Small databases and short rounds, to try it out.")] = False,
    only: Annotated[Name | None, typer.Option(help="Only this scenario.")] = None,
    database: Annotated[Dialect | None, typer.Option(help="Only this database.")] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Where seeded databases are kept between runs, some 6 GB: else in the system's temp folder."),
    ] = None,
) -> None:
    """Measure the product beside hand-written endpoints and plain Strawberry.

    A whole run writes bench/RESULTS.md; a quick or partial one only prints what it would write.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # or the servers would outlive this
    folder = cache or Path(tempfile.gettempdir())
    scale = QUICK if quick else FULL
    dialects = [dialect.value for dialect in Dialect if database in (None, dialect)]
    console = Console(stderr=True)
    name = only.value if only is not None else None
    with (
        console.status("Preparing") as status,
        stores.opened(folder, scale, stores_of(name), dialects, status.update) as seeded,
    ):
        wanted = scenarios(seeded, name)
        with load_generator() as generator:
            measuring = Measuring(seeded, scale, generator, status.update)
            for dialect in dialects:
                for _, together in groupby(wanted, key=lambda scenario: scenario.servers):
                    measuring.measure(dialect, list(together))
                for batch in BATCHES:
                    if name in (None, batch.name):
                        measuring.measure_batch(dialect, batch)
                if name in (None, mail.NAME):
                    measuring.figures.add_mail(mail.measure(seeded, dialect, scale, status.update))
                if name in (None, attacks.NAME):
                    measuring.figures.add_attacks(attacks.measure(seeded, dialect, scale, status.update))
        text = write_report(measuring.figures, wanted, scale, seeded.versions())
    if not quick and only is None and database is None:
        RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    application.command()(main)
    application()
