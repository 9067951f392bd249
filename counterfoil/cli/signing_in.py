"""How to sign in, in a box that cannot be overlooked: the only time that a generated password is shown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


def show(title: str, accounts: Sequence[tuple[str, str]], password: str) -> None:
    """Print the accounts, each (what it is, email), and the password that they all have, to stdout."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for what, email in accounts:
        table.add_row(Text(what or "Email"), Text(email, style="bold"))
    table.add_row(Text("Password"), Text(password, style="bold"))
    console = Console(highlight=False, markup=False)
    console.print(Panel.fit(table, title=Text(title), padding=(1, 2), title_align="left"))
