"""Database URLs: what they name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

_PREFIX = "sqlite:///"


def sqlite_path(url: str) -> Path:
    """The absolute path that `sqlite:///relative.db` or `sqlite:////absolute.db` names.

    Databases in memory are refused with ValueError: each connection would see one of its own.
    """
    path, question, _ = url.partition("?")
    name = unquote(path.removeprefix(_PREFIX))
    if not path.startswith(_PREFIX) or question or not name or name.endswith("/"):
        raise ValueError("A SQLite URL is sqlite:///relative.db or sqlite:////absolute.db, without options.")
    if name == ":memory:":
        raise ValueError("A SQLite database in memory cannot be shared between connections; name a file.")
    return Path(name).absolute()
