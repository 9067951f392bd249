"""`export-schema`: the GraphQL schema as a file, or whether the file is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.failing import Refused, one_line_errors

FILE = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"


@one_line_errors()
def export_schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when the file is stale.")] = False,
    output: Annotated[Path, typer.Option(help="The file; - is stdout.", show_default="schema/schema.graphql")] = FILE,
) -> None:
    """Write the GraphQL schema in SDL."""
    from counterfoil import api

    sdl = api.sdl().rstrip("\n") + "\n"
    if str(output) == "-":
        typer.echo(sdl, nl=False)
    elif not check:
        output.write_text(sdl, "utf-8")
        typer.echo(f"Wrote {output}", err=True)
    elif not output.exists() or output.read_text("utf-8") != sdl:
        raise Refused(f"{output.name} is stale. Run: python -m counterfoil export-schema")
    else:
        typer.echo(f"{output.name} is up to date.", err=True)
