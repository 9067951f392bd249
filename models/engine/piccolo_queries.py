"""Piccolo's way in: its queries take the same doors as all others, and its other ways to a connection are shut."""

from __future__ import annotations

from types import TracebackType
from typing import Any, NoReturn

from piccolo.engine.exceptions import TransactionError
from piccolo.querystring import QueryString

from models.engine.database import Database
from models.engine.program import Row
from models.engine.transaction import WriteTransaction


class JoiningTransaction:
    """What Piccolo's `transaction()` and `atomic()` enter: a transaction of their own, or the one that is open."""

    def __init__(self, database: Database, allow_nested: bool) -> None:
        self._database = database
        self._allow_nested = allow_nested
        self._own: WriteTransaction | None = None

    async def __aenter__(self) -> WriteTransaction:
        outer: WriteTransaction | None = self._database.current_transaction.get()
        if outer is None:
            self._own = self._database.write()
            return await self._own.__aenter__()
        if not self._allow_nested:
            raise TransactionError("A transaction is already active - nested transactions aren't allowed.")
        outer.check()
        return outer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._own is not None:
            await self._own.__aexit__(kind, error, traceback)


class PiccoloQueries(Database):
    """The methods of a Piccolo engine, made of `fetch` and `write`."""

    engine_type: str

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Row]:
        """Run a Piccolo query."""
        sql, args = querystring.compile_string(engine_type=self.engine_type)
        return await self.fetch(sql, *args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Row]:
        """Run a Piccolo schema statement: only inside a write transaction will the database accept it."""
        return await self.fetch(ddl)

    def transform_response_to_dicts(self, results: list[Row]) -> list[Row]:
        """Rows are dicts already."""
        return results

    def transaction(self, *args: Any, allow_nested: bool = True, **options: Any) -> JoiningTransaction:
        """An operational write transaction; inside one, that one."""
        return JoiningTransaction(self, allow_nested)

    def transaction_exists(self) -> bool:
        """See `transaction_active`."""
        return self.transaction_active()

    async def check_version(self) -> None:
        """Piccolo would connect here, before anything is started; `start()` checks."""

    async def prep_database(self) -> None:
        """No extensions are needed."""

    async def batch(self, *args: Any, **options: Any) -> NoReturn:
        """Refused: it would open a connection of its own."""
        raise _shut()

    async def get_connection(self) -> NoReturn:
        """Refused: the connection would be open for writes."""
        raise _shut()

    async def get_new_connection(self) -> NoReturn:
        """Refused: the connection would be nobody's."""
        raise _shut()

    async def start_connection_pool(self, **options: Any) -> None:
        """See `start`."""
        await self.start()

    async def close_connection_pool(self) -> None:
        """See `stop`."""
        await self.stop()


def _shut() -> RuntimeError:
    return RuntimeError("This engine hands out no connections: use fetch(), write() or an ordinary query.")
