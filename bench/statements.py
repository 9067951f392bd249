"""The SQL of the reads, as the product runs it: hand-written endpoints and plain Strawberry run the same statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from piccolo.table import Table

from audit.table import Event
from models import (
    Assignment,
    Contact,
    ContactRole,
    Customer,
    Document,
    Location,
    Note,
    Purpose,
    ReminderWorkflow,
    SalesDocument,
)
from models.engine.postgres import numbered
from models.table import quoted, read_list

NESTED = 50  # contacts of each customer
TAB = 20  # rows in each tab of a profile

SESSION = """
SELECT s.id AS session_id, s.last_used_at, s.expires_at, u.id, u.name, u.email, u.active, r.permissions
FROM session s JOIN "user" u ON u.id = s.user_id LEFT JOIN user_role r ON r.id = u.role_id WHERE s.token_hash = ?"""

_BY_NAME = 't."name_key" ASC, t."id" ASC'

# The tabs of a profile: which rows besides those of the customer are none of its, and in which order they come.
_TABS: Mapping[type[Table], tuple[str, str]] = {
    Contact: ("", _BY_NAME),
    Location: ("", _BY_NAME),
    Assignment: ("", 't."created_at" ASC, t."id" ASC'),
    Note: (" AND t.sales_document_id IS NULL", 't."pinned" DESC, t."created_at" DESC, t."id" DESC'),
    Document: ("", _BY_NAME),
    SalesDocument: ("", 't."issued_on" DESC, t."id" DESC'),
}

_PAYER = f"""
WITH RECURSIVE way (at, own, says, next) AS (
    SELECT c.id, c.payment_responsibility, c.payment_responsibility,
        CASE WHEN c.payment_responsibility <> 'BUYER' THEN c.parent_id END
    FROM customer c WHERE {{member}}
    UNION
    SELECT p.id, p.payment_responsibility,
        CASE way.says WHEN 'IMMEDIATE_PARENT' THEN 'BUYER' ELSE way.says END,
        CASE way.says WHEN 'TOP_LEVEL_PARENT' THEN p.parent_id END
    FROM way JOIN customer p ON p.id = way.next
)
SELECT way.at, way.own, way.says, way.next, {read_list(Customer, "c")}
FROM way LEFT JOIN customer c ON c.id = way.at AND way.next IS NULL"""

_PREFERENCES = """
SELECT c.id AS customer_id, coalesce(p.revision, 0) AS revision, p.created_at, p.reminder_workflow_id, p.reminders,\
 p.monthly_statement, p.online_payments, p.customer_portal, p.card, p.ach, p.contact_policy, s.id AS global_id,\
 s.revision AS global_revision, s.created_at AS global_created_at,\
 s.reminder_workflow_id AS global_reminder_workflow_id, s.monthly_statement AS global_monthly_statement,\
 s.online_payments AS global_online_payments, s.customer_portal AS global_customer_portal, s.card AS global_card,\
 s.ach AS global_ach, s.contact_policy AS global_contact_policy, s.notifications AS global_notifications,\
 s.portal_permissions AS global_portal_permissions, s.portal_access AS global_portal_access,\
 s.separate_messages AS global_separate_messages, s.company AS global_company, s.reply_to AS global_reply_to
FROM customer c LEFT JOIN preferences p ON p.customer_id = c.id CROSS JOIN settings s WHERE """


class Statements:
    """The statements of one dialect (`sqlite` or `postgres`), with the placeholders of its driver."""

    def __init__(self, dialect: str) -> None:
        self.postgres = dialect == "postgres"
        self._placed: Callable[[str], str] = numbered if self.postgres else str
        self.session = self._placed(SESSION)
        self.contacts_of_one = self._placed(_contacts('t."customer_id" = ?'))
        self.contacts_of_many = self._placed(self._contacts_of_many())
        self.roles = self._by_id(ContactRole)
        self.customers_by_id = self._by_id(Customer)
        self.contacts_by_id = self._by_id(Contact)
        self.purposes = self._by_id(Purpose)
        self.workflows = self._by_id(ReminderWorkflow)
        self.merged = self._of("SELECT id, merged_into_id FROM customer WHERE {} ORDER BY id", "merged_into_id")
        self.details = self._of("SELECT seq, about, disclosures FROM event_detail WHERE {} ORDER BY id", "seq")
        self.bodies = self._of("SELECT about, digest, body FROM event_body WHERE {} AND {}", "about", "digest")
        self.primary_contacts = self._of(
            f'SELECT {read_list(Contact)} FROM contact WHERE {{}} AND "primary"', "customer_id"
        )
        self.payers = self._placed(_PAYER.format(member=self.member("c.id")))
        self.preferences = self._placed(_PREFERENCES + self.member("c.id"))
        self.tabs = {table: self._placed(_tab(table)) for table in _TABS}
        self.customers = cache(self._customers)
        self.events = cache(self._events)

    def member(self, column: str) -> str:
        """The condition that the column has one of the values in an array."""
        return f"{column} = ANY(?)" if self.postgres else f"{column} IN (SELECT value FROM json_each(?))"

    def contacts(self, condition: str, size: int) -> str:
        """A page of contacts by name that meet the condition."""
        columns = read_list(Contact, "t")
        return self._placed(f'SELECT {columns} FROM "contact" t WHERE {condition} ORDER BY {_BY_NAME} LIMIT {size + 1}')

    def contact_ids(self, condition: str, most: int) -> str:
        """The ids of so many contacts that meet the condition, and one more."""
        return self._placed(f'SELECT t.id FROM "contact" t WHERE {condition} LIMIT {most + 1}')

    def _customers(self, size: int, after: bool) -> str:
        """A page of customers by name: arguments (name_key, id) of the cursor when `after`."""
        where = ' AND (t."name_key", t."id") > (?, ?)' if after else ""
        return self._placed(
            f'SELECT {read_list(Customer, "t")} FROM "customer" t WHERE t.merged_into_id IS NULL{where}'
            f" ORDER BY {_BY_NAME} LIMIT {size + 1}"
        )

    def _events(self, size: int, of_customer: bool) -> str:
        """The newest events: of everything, or of the customer in the only argument."""
        where = ' WHERE t."customer_id" = ? AND t.sales_document_id IS NULL' if of_customer else ""
        return self._placed(
            f'SELECT {read_list(Event, "t")} FROM "event" t{where} ORDER BY t."seq" DESC LIMIT {size + 1}'
        )

    def _contacts_of_many(self) -> str:
        if self.postgres:
            inner = _contacts('t."customer_id" = p.value')
            return f"SELECT x.* FROM unnest(?::text[]) p(value) CROSS JOIN LATERAL ({inner}) x"
        inner = f'SELECT t."id" FROM "contact" t WHERE t."customer_id" = p.value ORDER BY {_BY_NAME} LIMIT {NESTED + 1}'
        return (
            f'SELECT {read_list(Contact, "t")} FROM json_each(?) p JOIN "contact" t ON t."id" IN ({inner})'
            f" ORDER BY {_BY_NAME}"
        )

    def _by_id(self, table: type[Table]) -> str:
        return self._of(f"SELECT {read_list(table)} FROM {quoted(table._meta.tablename)} WHERE {{}}", "id")

    def _of(self, sql: str, *columns: str) -> str:
        return self._placed(sql.format(*map(self.member, columns)))


def _contacts(where: str) -> str:
    return f'SELECT {read_list(Contact, "t")} FROM "contact" t WHERE {where} ORDER BY {_BY_NAME} LIMIT {NESTED + 1}'


def _tab(table: type[Table]) -> str:
    more, order = _TABS[table]
    return (
        f'SELECT {read_list(table, "t")} FROM {quoted(table._meta.tablename)} t WHERE t."customer_id" = ?{more}'
        f" ORDER BY {order} LIMIT {TAB + 1}"
    )
