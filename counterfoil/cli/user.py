"""`user`: add, list and disable users without the API, on the machine that serves it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from audit import SYSTEM, Change, Request, transact
from counterfoil.cli import signing_in
from counterfoil.cli.failing import one_line_errors
from counterfoil.cli.opening import must_exist, ready
from counterfoil.settings import Settings, read_settings
from models import BuiltInRole, ErrorCode, Fault, Row, User, UserRole, people, text
from services import passwords, users

app = typer.Typer(no_args_is_help=True, help="Add, list and disable users.")


@app.command()
@one_line_errors()
def add(
    email: Annotated[str, typer.Option(help="What the user signs in with.")],
    name: Annotated[str, typer.Option(help="What history calls the user.")],
    admin: Annotated[bool, typer.Option("--admin", help="May do everything. Without it the user has no role.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin. Without it one is generated.")
    ] = False,
) -> None:
    """Add a user."""
    password = _read_password() if password_stdin else None
    asyncio.run(_add(read_settings(), email, name, admin, password))


@app.command("list")
@one_line_errors()
def list_users() -> None:
    """List all users."""
    asyncio.run(_list(read_settings()))


@app.command()
@one_line_errors()
def disable(email: Annotated[str, typer.Argument(help="The user's email address or ID.")]) -> None:
    """Keep a user from signing in, and end their sessions. History keeps their name."""
    asyncio.run(_disable(read_settings(), email))


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _request() -> Request:
    return Request.new("Command line")


async def _add(settings: Settings, email: str, name: str, admin: bool, password: str | None) -> None:
    async with ready(settings):
        chosen = passwords.generate_password() if password is None else password
        password_hash = await users.password_hash({"email": email, "name": name, "password": chosen})

        async def work(change: Change) -> Row:
            role_id = None
            if admin:
                [role] = await change.where(UserRole, built_in=BuiltInRole.ADMINISTRATOR.value)
                role_id = role["id"]
            return await users.create(change, {"email": email, "name": name, "role_id": role_id}, password_hash)

        row, _ = await transact(SYSTEM, _request(), work)
    typer.echo(f"Added {row['id']}")
    if password is None:
        signing_in.show("The password is shown only now:", [("", row["email"])], chosen)


async def _list(settings: Settings) -> None:
    must_exist(settings)
    async with ready(settings):
        rows = await people.every_user()
    table = Table("Email", "Name", "Role", "State", "ID", box=None, pad_edge=False)
    for row in rows:
        state = "disabled" if not row["active"] else "active" if row["can_sign_in"] else "no password"
        table.add_row(row["email"], row["name"], row["role"] or "none", state, row["id"])
    # Lines that are cut would be useless to other programs.
    console = Console(markup=False, highlight=False)
    console.print(table, width=None if console.is_terminal else 500)


async def _disable(settings: Settings, email: str) -> None:
    must_exist(settings)

    async def work(change: Change) -> Row:
        rows = await change.where(User, email_key=text.key(email)) or await change.where(User, id=email)
        if not rows:
            raise Fault(ErrorCode.NOT_FOUND, f"There is no user {email}.")
        return await users.update(change, rows[0]["id"], None, {"active": False})

    async with ready(settings):
        row, seqs = await transact(SYSTEM, _request(), work)
    typer.echo(f"{row['email']} {'cannot sign in any more' if seqs else 'was disabled already'}.")
