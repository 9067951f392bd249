"""The SQL of the reads, as the product runs it: hand-written endpoints and plain Strawberry run the same statements."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from audit.table import Event
from models import Contact, ContactRole, Customer
from models.engine.postgres import numbered
from models.table import column_list

NESTED = 50  # contacts of each customer

SESSION = """
SELECT s.id AS session_id, s.last_used_at, s.expires_at, u.id, u.name, u.email, u.active, r.permissions
FROM session s JOIN "user" u ON u.id = s.user_id LEFT JOIN user_role r ON r.id = u.role_id WHERE s.token_hash = ?"""


class Statements:
    """The statements of one dialect (`sqlite` or `postgres`), with the placeholders of its driver."""

    def __init__(self, dialect: str) -> None:
        self.postgres = dialect == "postgres"
        self._placed: Callable[[str], str] = numbered if self.postgres else str
        self.session = self._placed(SESSION)
        self.contacts_of_one = self._placed(_contacts('t."customer_id" = ?'))
        self.contacts_of_many = self._placed(self._contacts_of_many())
        self.roles = self._by_id(column_list(ContactRole), "contact_role", "id")
        self.customers_by_id = self._by_id(column_list(Customer), "customer", "id")
        self.details = self._by_id("seq, about, disclosures", "event_detail", "seq", " ORDER BY id")
        self.customers = cache(self._customers)
        self.events = cache(self._events)

    def _customers(self, size: int, after: bool) -> str:
        """A page of customers by name: arguments (name_key, id) of the cursor when `after`."""
        where = ' WHERE (t."name_key", t."id") > (?, ?)' if after else ""
        return self._placed(
            f'SELECT {column_list(Customer, "t")} FROM "customer" t{where}'
            f' ORDER BY t."name_key" ASC, t."id" ASC LIMIT {size + 1}'
        )

    def _events(self, size: int, of_customer: bool) -> str:
        """The newest events: of everything, or of the customer in the only argument."""
        where = ' WHERE t."customer_id" = ? AND t.sales_document_id IS NULL' if of_customer else ""
        return self._placed(
            f'SELECT {column_list(Event, "t")} FROM "event" t{where} ORDER BY t."seq" DESC LIMIT {size + 1}'
        )

    def _contacts_of_many(self) -> str:
        if self.postgres:
            inner = _contacts('t."customer_id" = p.value')
            return f"SELECT x.* FROM unnest(?::text[]) p(value) CROSS JOIN LATERAL ({inner}) x"
        inner = (
            f'SELECT t."id" FROM "contact" t WHERE t."customer_id" = p.value'
            f' ORDER BY t."name_key" ASC, t."id" ASC LIMIT {NESTED + 1}'
        )
        return (
            f'SELECT {column_list(Contact, "t")} FROM json_each(?) p JOIN "contact" t ON t."id" IN ({inner})'
            ' ORDER BY t."name_key" ASC, t."id" ASC'
        )

    def _by_id(self, columns: str, table: str, column: str, order: str = "") -> str:
        member = f"{column} = ANY(?)" if self.postgres else f"{column} IN (SELECT value FROM json_each(?))"
        name = table if order else f'"{table}"'
        return self._placed(f"SELECT {columns} FROM {name} WHERE {member}{order}")


def _contacts(where: str) -> str:
    return (
        f'SELECT {column_list(Contact, "t")} FROM "contact" t WHERE {where}'
        f' ORDER BY t."name_key" ASC, t."id" ASC LIMIT {NESTED + 1}'
    )
