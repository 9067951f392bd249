"""Programs: several statements as one generator, so that SQLite can run them all in one hop to its thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

Row: TypeAlias = dict[str, Any]
Statement: TypeAlias = tuple[str, tuple[Any, ...]]
T = TypeVar("T")
# Yields (sql, arguments), is sent the rows, returns its result. A failing statement is thrown into it.
Program: TypeAlias = Generator[Statement, list[Row], T]


def drive(program: Program[T], execute: Callable[[str, tuple[Any, ...]], list[Row]]) -> T:
    """Run `program` to its end with a blocking `execute`; returns what it returns."""
    try:
        sql, args = next(program)
        while True:
            try:
                rows = execute(sql, args)
            except Exception as error:
                sql, args = program.throw(error)
            else:
                sql, args = program.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


async def drive_async(program: Program[T], execute: Callable[[str, tuple[Any, ...]], Awaitable[list[Row]]]) -> T:
    """Run `program` to its end, awaiting each statement; returns what it returns."""
    try:
        sql, args = next(program)
        while True:
            try:
                rows = await execute(sql, args)
            except Exception as error:
                sql, args = program.throw(error)
            else:
                sql, args = program.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        program.close()
