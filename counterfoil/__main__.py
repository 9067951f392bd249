"""`python -m counterfoil`."""

from __future__ import annotations

from counterfoil.cli import app

if __name__ == "__main__":
    app(prog_name="python -m counterfoil")
