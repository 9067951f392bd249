"""`export-roles`: the README's table of what built-in user roles may do, or whether it is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.failing import Refused, one_line_errors

README = Path(__file__).resolve().parents[2] / "README.md"


@one_line_errors()
def export_roles(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when the table is stale.")] = False,
    file: Annotated[Path, typer.Option(help="The file with the table.", show_default="README.md")] = README,
) -> None:
    """Write the table of what built-in roles may do into the README."""
    from counterfoil import role_table

    text = file.read_text("utf-8")
    try:
        written = role_table.written(text)
    except ValueError as error:
        raise Refused(f"{file.name}: {error}") from None
    if not check:
        file.write_text(written, "utf-8")
        typer.echo(f"Wrote the table in {file}", err=True)
    elif written != text:
        raise Refused(f"The table in {file.name} is stale. Run: python -m counterfoil export-roles")
    else:
        typer.echo(f"The table in {file.name} is up to date.", err=True)
