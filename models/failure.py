"""What a failed statement means, told alike for both databases' drivers."""

from __future__ import annotations

import re
import sqlite3

import asyncpg

from models.fault import ErrorCode, Fault
from models.table import Audited

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: .*\.(\w+)$")


def unique_column(error: BaseException) -> str | None:
    """The last column of the unique index that the statement violated; None when it failed otherwise."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return str(error.constraint_name or "").removeprefix(f"{error.table_name}_").removesuffix("_unique")
    if isinstance(error, sqlite3.IntegrityError):
        match = _SQLITE_UNIQUE.search(str(error))
        return match.group(1) if match else None
    return None


def taken(error: BaseException, table: type[Audited]) -> Fault | None:
    """TAKEN at the field that must be unique; None when the failure is not an expected one."""
    column = unique_column(error)
    if column is None or column not in table.taken:
        return None
    field, message = table.taken[column]
    return Fault(ErrorCode.TAKEN, message, (field,))


def is_deadlock(error: BaseException) -> bool:
    """Whether running the same transaction again may succeed."""
    return isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError)


def told(error: BaseException) -> str | None:
    """One line about a database that cannot be reached, opened or used, for people; None when it is something else."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    # sqlite3.DatabaseError itself, without its subclasses: not a database, or a damaged one.
    if isinstance(error, _OUT_OF_REACH) or type(error) is sqlite3.DatabaseError:
        return " ".join(str(error).split()) or type(error).__name__
    return None


# PostgreSQL's: no connection, or the server answers and will not let us in or do it. Its other errors are bugs.
_OUT_OF_REACH = (
    OSError,
    sqlite3.OperationalError,
    asyncpg.ClientConfigurationError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_out_of_reach(error: BaseException) -> bool:
    """Whether the database cannot be reached or used now, or took too long: it may be back in a moment."""
    # Also a connection that broke while it was used, and a database that lets nobody in for the while.
    return isinstance(error, (*_OUT_OF_REACH, asyncpg.InterfaceError, asyncpg.ObjectNotInPrerequisiteStateError))


def is_busy(error: BaseException) -> bool:
    """Whether somebody else held a row or the database for too long."""
    return isinstance(error, asyncpg.LockNotAvailableError | asyncpg.QueryCanceledError)
