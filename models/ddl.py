"""What migrations need to say the same thing to both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piccolo.engine import Engine, engine_finder


def migrating_engine() -> Engine[Any]:
    """The engine that Piccolo migrates with."""
    engine = engine_finder()
    if engine is None:
        raise RuntimeError("no database is configured for the migration")
    return engine


async def execute(statements: Sequence[str]) -> None:
    """Run DDL on the database being migrated. `{key}` is the type of a column that is compared bytewise:
    databases disagree about collation, so PostgreSQL is told "C" and SQLite compares bytes by itself.
    """
    engine = migrating_engine()
    key = 'TEXT COLLATE "C"' if engine.engine_type == "postgres" else "TEXT"
    identity = (
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY" if engine.engine_type == "postgres" else "INTEGER PRIMARY KEY"
    )
    big_primary = "BIGINT PRIMARY KEY" if engine.engine_type == "postgres" else "INTEGER PRIMARY KEY"
    for statement in statements:
        await engine.run_ddl(statement.format(key=key, identity=identity, big_primary=big_primary))


async def add_columns(table: str, definitions: Mapping[str, str]) -> None:
    """Add the columns that the table does not have yet: name → type and constraints, `{key}` as for `execute`.

    A column that may not be null needs a DEFAULT for the rows there are; `Audited.added` tells the fold about it.
    """
    engine = migrating_engine()
    if engine.engine_type == "postgres":
        rows = await engine.run_ddl(
            "SELECT attname AS name FROM pg_attribute"
            f" WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    else:
        rows = await engine.run_ddl(f"SELECT name FROM pragma_table_info('{table}')")
    there = {row["name"] for row in rows}
    await execute(
        [
            f'ALTER TABLE "{table}" ADD COLUMN "{name}" {definition}'
            for name, definition in definitions.items()
            if name not in there
        ]
    )


async def rebuild_table(table: str, create: str, columns: Sequence[str], after: Sequence[str] = ()) -> None:
    """Change types or constraints of a table on SQLite, which cannot alter them: copy it into a new shape.

    `create` is the CREATE TABLE statement of the new shape under the name `"{table}_new"`, `columns` the columns
    that are copied, `after` the statements that recreate its indexes. Triggers are put back by the guard when the
    migration has ended. The migration must say `wrap_in_transaction=False`: foreign keys can only be turned off
    outside a transaction (https://www.sqlite.org/lang_altertable.html#otheralter).
    """
    engine = migrating_engine()
    if engine.engine_type != "sqlite":
        raise RuntimeError("PostgreSQL alters tables itself: use ALTER TABLE there")
    connection = await engine.get_connection()  # type: ignore[attr-defined]  # only its SQLite engine has it
    names = ", ".join(f'"{name}"' for name in columns)
    try:
        await connection.execute("PRAGMA foreign_keys = OFF")
        await connection.execute("BEGIN IMMEDIATE")
        await connection.execute(create)
        await connection.execute(f'INSERT INTO "{table}_new" ({names}) SELECT {names} FROM "{table}"')
        await connection.execute(f'DROP TABLE "{table}"')
        await connection.execute(f'ALTER TABLE "{table}_new" RENAME TO "{table}"')
        for statement in after:
            await connection.execute(statement)
        broken = list(await connection.execute_fetchall("PRAGMA foreign_key_check"))
        if broken:
            raise RuntimeError(f"rebuilding {table} would break {len(broken)} foreign keys")
        await connection.execute("COMMIT")
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    finally:
        await connection.close()
