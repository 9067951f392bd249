"""What migrations need to say the same thing to both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from piccolo.engine import Engine, engine_finder
from piccolo.querystring import QueryString


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


# So many rows at a time are in memory.
_BATCH = 500


async def fill(table: str, reads: Sequence[str], derive: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Set columns that derive from others in the rows there are: `derive` gets the columns `reads`, as stored.

    Derived columns are no part of history, so this leaves no events; whatever else a migration changes in audited
    tables goes through the recorder. Inside the migration's transaction the guard lets these writes pass.
    """
    engine = migrating_engine()
    names = ", ".join(f'"{name}"' for name in reads)
    position = ""
    async with _unguarded(table):
        while True:
            page = f'SELECT id, {names} FROM "{table}" WHERE id > {{}} ORDER BY id LIMIT {_BATCH}'
            rows = await engine.run_querystring(QueryString(page, position))
            if not rows:
                return
            for row in rows:
                values = derive(row)
                assignments = ", ".join(f'"{name}" = {{}}' for name in values)
                update = f'UPDATE "{table}" SET {assignments} WHERE id = {{}}'
                await engine.run_querystring(QueryString(update, *values.values(), row["id"]))
            position = rows[-1]["id"]


@asynccontextmanager
async def _unguarded(table: str) -> AsyncIterator[None]:
    """Let updates of the table pass its guard, until the end of the block on SQLite, of the transaction elsewhere."""
    engine = migrating_engine()
    if engine.engine_type == "postgres":
        await engine.run_ddl("SELECT set_config('counterfoil.recorder', 'on', true)")
        yield
        return
    # The trigger asks a function that only our writer connection has: the statement would not even compile here.
    triggers = await engine.run_querystring(
        QueryString(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {} AND sql LIKE '% UPDATE ON %'",
            table,
        )
    )
    for trigger in triggers:
        await engine.run_ddl(f'DROP TRIGGER "{trigger["name"]}"')
    yield
    for trigger in triggers:
        await engine.run_ddl(trigger["sql"])


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
