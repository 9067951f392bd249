"""The index behind searches: derived from the search keys of customers and contacts, kept by the database itself.

On SQLite an FTS5 table of trigrams for each, which triggers keep; it holds no text of its own. On PostgreSQL an
inverted index over the trigrams of the key, without any extension. Both answer by substrings and are never the only
condition of a search.
"""

from __future__ import annotations

import sqlite3

from models.contact import Contact
from models.customer import Customer
from models.engine import Database

TABLES = (Customer._meta.tablename, Contact._meta.tablename)

# Before that FTS5 cannot remove what it knew of a deleted row at once: it goes when segments are merged.
_SECURE_DELETE = (3, 42, 0)

_TOKENIZER = "trigram case_sensitive 1"

# Its cost keeps PostgreSQL from calling it for every row where the index would do.
_FUNCTION = """CREATE OR REPLACE FUNCTION counterfoil_trigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
SELECT coalesce(array_agg(DISTINCT substr(value, n, 3)), '{}') FROM generate_series(1, length(value) - 2) n
$$"""


def sqlite_triggers() -> dict[str, str]:
    """Name → CREATE TRIGGER statement."""
    triggers = {}
    for table in TABLES:
        index = f"{table}_search"
        add = f"INSERT INTO {index} (rowid, search_key) VALUES (NEW.rowid, NEW.search_key);"
        remove = f"INSERT INTO {index} ({index}, rowid, search_key) VALUES ('delete', OLD.rowid, OLD.search_key);"
        for when, body in (
            (f"insert AFTER INSERT ON {table}", add),
            (f"delete AFTER DELETE ON {table}", remove),
            (
                f"update AFTER UPDATE OF search_key ON {table} WHEN OLD.search_key IS NOT NEW.search_key",
                f"{remove} {add}",
            ),
        ):
            name = f"search_{table}_{when.partition(' ')[0]}"
            triggers[name] = f"CREATE TRIGGER search_{table}_{when} BEGIN {body} END"
    return triggers


def derived_tables() -> dict[str, str]:
    """The tables of a SQLite database that are neither audited nor operational nor history, with the reason."""
    parts = ("", "_data", "_idx", "_docsize", "_config")
    return {
        f"{table}_search{part}": f"The search index of {table}, made of its keys." for table in TABLES for part in parts
    }


def install_statements(dialect: str) -> list[str]:
    """SQL that puts the index in place and makes it anew from the rows, whatever was there before."""
    if dialect == "postgres":
        return [
            _FUNCTION,
            *(f"DROP INDEX IF EXISTS {table}_search" for table in TABLES),
            *(
                f'CREATE INDEX {table}_search ON "{table}" USING gin (counterfoil_trigrams(search_key))'
                for table in TABLES
            ),
        ]
    statements = []
    for table in TABLES:
        index = f"{table}_search"
        statements += [
            f"DROP TABLE IF EXISTS {index}",
            f"CREATE VIRTUAL TABLE {index} USING fts5(search_key, content='{table}', tokenize='{_TOKENIZER}')",
            f"INSERT INTO {index} ({index}) VALUES ('rebuild')",
        ]
        if sqlite3.sqlite_version_info >= _SECURE_DELETE:
            statements.append(f"INSERT INTO {index} ({index}, rank) VALUES ('secure-delete', 1)")
    for name, create in sqlite_triggers().items():
        statements += [f"DROP TRIGGER IF EXISTS {name}", create]
    return statements


async def missing(database: Database) -> list[str]:
    """What of the index is absent or changed: names of triggers and indexes."""
    if database.dialect == "sqlite":
        rows = await database.fetch("SELECT name, sql FROM sqlite_master WHERE name LIKE '%search%'")
        there = {row["name"]: row["sql"] for row in rows}
        tables = [f"{table}_search" for table in TABLES if f"{table}_search" not in there]
        return tables + [name for name, create in sqlite_triggers().items() if there.get(name) != create]
    rows = await database.fetch(
        "SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indisvalid AND pg_get_indexdef(c.oid) LIKE '%gin (counterfoil_trigrams(search_key))'"
    )
    found = {row["name"] for row in rows}
    return [f"{table}_search" for table in TABLES if f"{table}_search" not in found]


async def stale(database: Database) -> list[str]:
    """The indexes that do not say what the rows say; PostgreSQL keeps its own right. Needs nobody else writing."""
    if database.dialect == "postgres":
        return []
    wrong = []
    for table in TABLES:
        index = f"{table}_search"
        async with database.write():
            try:
                await database.fetch(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
            except Exception as error:
                if "malformed" not in str(error):
                    raise
                wrong.append(index)
    return wrong
