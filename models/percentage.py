"""Percentages: hundredths of a percent (basis points) in the database, decimal text for people and in the API."""

from __future__ import annotations

WHOLE = 10_000


def written(basis_points: int) -> str:
    """With two decimals: 250 is “2.50”."""
    sign, rest = ("-", -basis_points) if basis_points < 0 else ("", basis_points)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def shown(basis_points: int) -> str:
    """Without decimals that say nothing: 250 is “2.5”, 300 is “3”."""
    return written(basis_points).rstrip("0").rstrip(".")
