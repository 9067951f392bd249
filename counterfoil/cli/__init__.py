"""The command line: `python -m counterfoil`."""

from __future__ import annotations

import typer

from counterfoil.cli import documents, mail, quickbooks_online, reminders, user
from counterfoil.cli.demo import demo
from counterfoil.cli.doctor import doctor
from counterfoil.cli.export_roles import export_roles
from counterfoil.cli.export_schema import export_schema
from counterfoil.cli.migrate import migrate
from counterfoil.cli.serve import serve
from counterfoil.cli.worker import worker

app = typer.Typer(
    name="counterfoil",
    help="Customers, contacts and their roles, with a history that nothing escapes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.add_typer(user.app, name="user")
app.add_typer(quickbooks_online.app, name="import")
app.add_typer(documents.app, name="documents")
app.add_typer(mail.app, name="mail")
app.add_typer(reminders.app, name="reminders")
app.command()(demo)
app.command()(export_schema)
app.command()(export_roles)
app.command()(doctor)
