"""One recorded change: rows are read with locks, written with their difference, and leave their events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from audit.action import Action, action_of
from audit.actor import Actor, Request
from audit.append import append
from audit.difference import difference
from audit.event import Pending
from models import clock
from models.engine import Database, WriteTransaction
from models.engine.program import Program, Statement
from models.failure import taken
from models.fault import ErrorCode, Fault
from models.identifier import check_id, new_id
from models.table import Audited, Row, column_list, columns, decode_row, encode, json_columns, quoted
from models.user import Permission

Path = tuple[str | int, ...]

# PostgreSQL's row locks. A change of a row lets others refer to it; only its end does not.
_REFER, _CHANGE, _DELETE = "FOR KEY SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"


class Change:
    """The only writer of audited tables, alive inside one transaction. `now` is read once."""

    def __init__(self, database: Database, transaction: WriteTransaction, actor: Actor, request: Request) -> None:
        self.actor = actor
        self.request = request
        self.now = clock.now()
        self.seqs: list[int] = []
        self.also: list[Callable[[list[int]], Statement]] = []
        self._database = database
        self._transaction = transaction
        self._pending: list[Pending] = []
        self._labels: dict[str, str] = {}
        transaction.finish(self._finish)

    async def lock(self, name: str) -> None:
        """Take a named lock until the end of the transaction: before reading what a rule across rows counts."""
        if self._database.dialect == "postgres":
            await self._transaction.fetch("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", name)

    async def get(
        self,
        table: type[Audited],
        identifier: str,
        expected_revision: int | None = None,
        *,
        field: Path = ("id",),
        to_delete: bool = False,
    ) -> Row:
        """The row, locked for a change or `to_delete`. Fault INVALID, NOT_FOUND or READ_ONLY at `field`, or CONFLICT.

        READ_ONLY: another row has taken its place.
        Locks are taken in the order contact role, customer, location, contact, sales document, note or
        payment, and by id within a table.
        """
        check_id(identifier, table.prefix, *field)
        row = await self._one(table, identifier, _DELETE if to_delete else _CHANGE, field)
        if expected_revision is not None and row["revision"] != expected_revision:
            raise Fault(
                ErrorCode.CONFLICT,
                "Somebody changed this in the meantime. Read it again and repeat your change.",
                ("expected_revision",) if len(field) == 1 else field,
                current_revision=row["revision"],
            )
        return row

    async def read(self, table: type[Audited], identifier: str, *, field: Path = ("id",)) -> Row:
        """The row without a lock, to learn what else must be locked before it. Fault INVALID or NOT_FOUND."""
        check_id(identifier, table.prefix, *field)
        return await self._one(table, identifier, "", field)

    async def refer(self, table: type[Audited], identifier: str, field: Path) -> Row:
        """The row that a reference will point to, kept from disappearing. Fault INVALID, NOT_FOUND or READ_ONLY."""
        check_id(identifier, table.prefix, *field)
        return await self._one(table, identifier, _REFER, field)

    async def where(
        self,
        table: type[Audited],
        *,
        limit: int | None = None,
        lock: bool = True,
        unreferred: bool = False,
        **equal: Any,
    ) -> list[Row]:
        """The rows with these column values, `limit` of them at most, in id order, with `lock` locked for a change.

        All of the table without any. With `unreferred` nobody else can make new references to them, either, until
        the end of the transaction.
        """
        condition = " AND ".join(
            f"{quoted(name)} IS NULL" if value is None else f"{quoted(name)} = ?" for name, value in equal.items()
        )
        args = [value for value in equal.values() if value is not None]
        kind = _DELETE if unreferred else _CHANGE
        return await self._select(table, condition or "1 = 1", *args, lock=kind if lock else "", limit=limit)

    async def every(self, table: type[Audited], ids: Iterable[str]) -> dict[str, Row]:
        """The rows with these ids that exist, locked in id order, by id: one statement."""
        wanted = self._database.array(sorted(set(ids)))
        return {row["id"]: row for row in await self._select(table, self._database.member("id"), wanted)}

    async def count(self, table: type[Audited], **equal: Any) -> int:
        """How many rows have these column values; all of the table without any."""
        condition = " AND ".join(f"{quoted(name)} = ?" for name in equal)
        where = f" WHERE {condition}" if condition else ""
        rows = await self._transaction.fetch(f"SELECT count(*) AS n FROM {_name(table)}{where}", *equal.values())
        return int(rows[0]["n"])

    async def total(self, table: type[Audited], column: str, **equal: Any) -> int:
        """The sum of a whole-number column over the rows with these column values; 0 without any."""
        condition = " AND ".join(f"{quoted(name)} = ?" for name in equal)
        summed = f"CAST(coalesce(sum({quoted(column)}), 0) AS BIGINT) AS n"
        sql = f"SELECT {summed} FROM {_name(table)} WHERE {condition}"
        return int((await self._transaction.fetch(sql, *equal.values()))[0]["n"])

    async def insert(self, table: type[Audited], values: Mapping[str, Any]) -> Row:
        """Create a row from its columns and leave a `created` event. Fault TAKEN.

        Absent columns are null, or what `table.added` says.
        """
        absent = {**dict.fromkeys(columns(table)), **table.added}
        row: Row = {**absent, "id": new_id(table.prefix), "revision": 1, "created_at": self.now}
        if not values.keys() <= row.keys():
            raise TypeError(f"{table.__name__} has no columns {sorted(values.keys() - row.keys())}")
        row.update(values)
        row.update(table.derive(row))
        names = columns(table)
        sql = f"INSERT INTO {_name(table)} ({column_list(table)}) VALUES ({', '.join('?' for _ in names)})"
        await self._write(table, sql, *(_stored(table, name, row[name]) for name in names))
        self._record(table, "created", None, row)
        return row

    async def update(
        self,
        table: type[Audited],
        row: Row,
        values: Mapping[str, Any],
        *,
        verb: str = "updated",
        customers: Mapping[str, int] = MappingProxyType({}),
    ) -> Row:
        """Write the columns that differ and what `table.entailed` says, one revision up, and leave an event; without
        difference nothing.

        The event's action is the table's for `verb`, one of audit.action.CHANGING. The event says for each changed
        column how many `customers` that affects.
        """
        changed = {name: value for name, value in values.items() if row[name] != value}
        if not changed:
            return row
        after = {**row, **changed, "revision": row["revision"] + 1}
        after.update(table.entailed(after))
        after.update(table.derive(after))
        await self._store(table, row, after)
        self._record(table, verb, row, after, customers=customers)
        return after

    async def update_all(self, table: type[Audited], rows: Sequence[Row], values: Mapping[str, Any]) -> list[Row]:
        """`update` for several rows and the same columns, none of which others derive from: one statement."""
        before = [row for row in rows if any(row[name] != value for name, value in values.items())]
        after = [{**row, **values, "revision": row["revision"] + 1} for row in before]
        if any(new[name] != value for new in after for name, value in table.derive(new).items()):
            raise TypeError(f"columns derive from {', '.join(values)}: update the rows one by one")
        if before:
            assignments = ", ".join(f"{quoted(name)} = ?" for name in values)
            member = self._database.member("id")
            sql = f"UPDATE {_name(table)} SET {assignments}, revision = revision + 1 WHERE {member} RETURNING id"
            stored = [_stored(table, name, value) for name, value in values.items()]
            await self._write(
                table, sql, *stored, self._database.array([row["id"] for row in before]), rows=len(before)
            )
        for old, new in zip(before, after, strict=True):
            self._record(table, "updated", old, new)
        return after

    async def delete(self, table: type[Audited], row: Row) -> None:
        """Remove the row and leave a `deleted` event that holds all it had."""
        sql = f"DELETE FROM {_name(table)} WHERE id = ? AND revision = ? RETURNING id"
        await self._write(table, sql, row["id"], row["revision"], rows=1)
        self._record(table, "deleted", row, None)

    async def delete_all(self, table: type[Audited], rows: Sequence[Row]) -> None:
        """`delete` for several rows of the same table: one statement."""
        if rows:
            member = self._database.member("(id || ' ' || revision)")
            sql = f"DELETE FROM {_name(table)} WHERE {self._database.member('id')} AND {member} RETURNING id"
            ids, read = [row["id"] for row in rows], [f"{row['id']} {row['revision']}" for row in rows]
            await self._write(table, sql, self._database.array(ids), self._database.array(read), rows=len(rows))
        for row in rows:
            self._record(table, "deleted", row, None)

    async def adopt(
        self, table: type[Audited], before: Row | None, live: Row | None, revision: int, *, mend: bool = True
    ) -> None:
        """Leave the event of a change that was forced past the recorder, from what history says to the `live` row.

        The row's revision rises above `revision`, the last one in history, and with `mend` its derived columns are put
        right, and so is what the row entails. What derived columns were forced to be is in the event.
        """
        if live is None:
            self._record(table, "deleted", before, None)
            return
        right = table.derive(live)
        mended = {**table.entailed(live), **right} if mend else {}
        after = {**live, **mended, "revision": max(live["revision"], revision + 1)}
        await self._store(table, live, after)
        old = before or {}
        forced = {
            name: {"before": old.get(name), "after": live[name]}
            for name in sorted(table.derived)
            if live[name] not in (old.get(name), right[name])
        }
        self._record(table, "created" if before is None else "updated", before, after, forced)

    def mention(self, table: type[Audited], row: Row, action: Action, *, sales_document_id: str | None = None) -> None:
        """Leave an event that changes no row: a sign-in, a refusal. It may stand in a sales document's history."""
        pending = _pending(table, row, action)
        pending.sales_document_id = sales_document_id or pending.sales_document_id
        self._pending.append(pending)

    def append(self, pending: Pending) -> None:
        """Leave an event that was built elsewhere: an account that does not exist."""
        self._pending.append(pending)

    async def _store(self, table: type[Audited], row: Row, after: Row) -> None:
        names = [name for name in columns(table) if after[name] != row[name]]
        if names:
            assignments = ", ".join(f"{quoted(name)} = ?" for name in names)
            sql = f"UPDATE {_name(table)} SET {assignments} WHERE id = ? AND revision = ? RETURNING id"
            stored = [_stored(table, name, after[name]) for name in names]
            await self._write(table, sql, *stored, row["id"], row["revision"], rows=1)

    def _record(
        self,
        table: type[Audited],
        verb: str,
        before: Row | None,
        after: Row | None,
        forced: Mapping[str, dict[str, Any]] = MappingProxyType({}),
        customers: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        row = after if after is not None else before
        if row is None:
            raise TypeError("a change needs a row")
        changes, bodies = difference(table, before, after)
        changes.update(forced)
        for name in customers.keys() & changes.keys():
            changes[name]["customers"] = customers[name]
        self._labels[row["id"]] = table.label(row)
        self._pending.append(_pending(table, row, action_of(table, verb), changes, bodies))

    def _finish(self) -> Program[None]:
        if self._pending:
            self.seqs = yield from append(
                self._database, self._pending, self.actor, self.request, self.now, self._labels
            )
        for make in self.also:
            yield make(self.seqs)

    async def _one(self, table: type[Audited], identifier: str, lock: str, field: Path) -> Row:
        rows = await self._select(table, "id = ?", identifier, lock=lock)
        if not rows:
            what = table.subject.value.replace("_", " ")
            raise Fault(ErrorCode.NOT_FOUND, f"There is no {what} with this ID.", field)
        if lock and table.replaced_by and rows[0][table.replaced_by] is not None:
            [taker] = await self._select(table, "id = ?", rows[0][table.replaced_by], lock="")
            # Only customers are replaced.
            into = table.label(taker) if self.actor.may(Permission.CUSTOMERS_READ) else "another one"
            message = f"This {table.subject.value} was merged into {into}: use that one, {taker['id']}."
            raise Fault(ErrorCode.READ_ONLY, message, field)
        return rows[0]

    async def _select(
        self, table: type[Audited], condition: str, *args: Any, lock: str = _CHANGE, limit: int | None = None
    ) -> list[Row]:
        suffix = f" LIMIT {limit:d}" if limit is not None else ""
        suffix += f" {lock}" if lock and self._database.dialect == "postgres" else ""
        sql = f"SELECT {column_list(table)} FROM {_name(table)} WHERE {condition} ORDER BY id{suffix}"
        rows = [decode_row(table, row) for row in await self._transaction.fetch(sql, *args)]
        self._labels.update({row["id"]: table.label(row) for row in rows})
        return rows

    async def _write(self, table: type[Audited], sql: str, *args: Any, rows: int = 0) -> None:
        """Run a write that returns as many `rows`. Fewer would leave events without their change: a stale row."""
        try:
            written = await self._transaction.fetch(sql, *args)
        except Exception as error:
            fault = taken(error, table)
            if fault is None:
                raise
            raise fault from error
        if len(written) != rows:
            raise RuntimeError(f"a row of {table.subject.value} is not as it was read in this transaction")


def _pending(
    table: type[Audited],
    row: Row,
    action: Action,
    changes: Mapping[str, dict[str, Any]] = MappingProxyType({}),
    bodies: Mapping[str, str] = MappingProxyType({}),
) -> Pending:
    return Pending(
        action,
        table.subject,
        row["id"],
        row["revision"],
        table.label(row),
        table.about(row),
        table.customer_of(row),
        table.sales_document_of(row),
        dict(changes),
        dict(bodies),
    )


def _name(table: type[Audited]) -> str:
    return quoted(table._meta.tablename)


def _stored(table: type[Audited], name: str, value: Any) -> Any:
    return encode(value) if value is not None and name in json_columns(table) else value
