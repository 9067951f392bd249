"""What migrations need to say the same thing to both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from piccolo.engine import Engine, engine_finder

from models.table import Audited, columns, decode_row, quoted


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


async def derive_again(table: type[Audited]) -> None:
    """Compute the derived columns of all rows anew: what they derive from has changed with this version.

    Nothing is recorded, for events do not hold derived columns; revisions stay. Columns that later migrations add are
    left to those. The migration must say `wrap_in_transaction=False`: the rows change in a transaction of its own,
    which the guards take for the recorder's.
    """
    engine = migrating_engine()
    connection: Any
    if engine.engine_type == "postgres":
        connection = await engine.get_new_connection()  # type: ignore[attr-defined]  # of its PostgreSQL engine
        try:
            async with connection.transaction():
                await connection.execute("SELECT set_config('counterfoil.recorder', 'on', true)")
                rows = await connection.fetch(f"SELECT * FROM {quoted(table._meta.tablename)} FOR UPDATE")
                for sql, args in _derivations(table, rows, lambda number: f"${number}"):
                    await connection.execute(sql, *args)
        finally:
            await connection.close()
        return
    connection = await engine.get_connection()  # type: ignore[attr-defined]  # only its SQLite engine has it
    try:
        await connection.create_function("counterfoil_recorder", 0, lambda: 1)
        await connection.execute("BEGIN IMMEDIATE")
        rows = await connection.execute_fetchall(f"SELECT * FROM {quoted(table._meta.tablename)}")
        for sql, args in _derivations(table, rows, lambda _: "?"):
            await connection.execute(sql, args)
        await connection.execute("COMMIT")
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    finally:
        await connection.close()


def _derivations(
    table: type[Audited], rows: Iterable[Mapping[str, Any]], place: Callable[[int], str]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The statements, with their arguments, that put right the derived columns which the stored rows have."""
    for stored in map(dict, rows):
        row = decode_row(table, {**dict.fromkeys(columns(table)), **stored})
        right = {name: value for name, value in table.derive(row).items() if name in stored and row[name] != value}
        if right:
            assignments = ", ".join(f"{quoted(name)} = {place(number)}" for number, name in enumerate(right, 1))
            sql = f"UPDATE {quoted(table._meta.tablename)} SET {assignments} WHERE id = {place(len(right) + 1)}"
            yield sql, (*right.values(), row["id"])


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
