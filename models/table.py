"""What every audited table declares, so that the recorder, the fold and the history need no list of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Literal

import orjson
from piccolo.columns import ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.table import Table

Row = dict[str, Any]

REMOVED = "{name} {before} removed"


class SubjectType(Enum):
    """What an event can be about; the value is the name of the table. Values may be added."""

    CUSTOMER = "customer"
    LOCATION = "location"
    CONTACT = "contact"
    CONTACT_ROLE = "contact_role"
    SALES_DOCUMENT = "sales_document"
    PAYMENT = "payment"
    NOTE = "note"
    REMINDER_WORKFLOW = "reminder_workflow"
    SETTINGS = "settings"
    PREFERENCES = "preferences"
    DOCUMENT = "document"
    PURPOSE = "purpose"
    ASSIGNMENT = "assignment"
    TEMPLATE = "template"
    COMMUNICATION = "communication"
    DELIVERY = "delivery"
    USER = "user"
    USER_ROLE = "user_role"
    API_KEY = "api_key"


class Json(Text):
    """A text column that holds canonical JSON: a value that is read and changed as a whole."""


def reference(table: type[Table] | Literal["self"], *, null: bool) -> ForeignKey[Any]:
    """A foreign key that never writes by itself: RESTRICT and NO ACTION. "self" is the table that it stands in."""
    return ForeignKey(references=table, null=null, on_delete=OnDelete.restrict, on_update=OnUpdate.no_action)


class Audited(Table):
    """What all audited tables have and declare. Their rows change only through the recorder.

    `revision` begins with 1 and counts the changes of the row. `secret` columns appear in events as changed, never
    with values; `long` columns are stored once by digest. `taken` says for the last column of a unique index which
    field is at fault and what to tell. `unread` columns only serve to find rows: reads for answers leave them out.
    `added` are columns that a migration added with another value than null, and that value: events from before say
    nothing about them, and a new row has it, too. `texts` makes of a column's value, other than null, what people
    read. `cleared` is how a sentence tells that a column became null, with the column's {name} and its value {before};
    but not where one of the `alternatives` gave way to another. `money` names for each column of minor units the
    column of their currency. A row whose column `replaced_by` is set has given its place to the row that this names:
    it takes no changes, and nothing new refers to it.
    """

    prefix: ClassVar[str]
    subject: ClassVar[SubjectType]
    secret: ClassVar[frozenset[str]] = frozenset()
    long: ClassVar[frozenset[str]] = frozenset()
    derived: ClassVar[frozenset[str]] = frozenset()
    taken: ClassVar[Mapping[str, tuple[str, str]]] = {}
    unread: ClassVar[frozenset[str]] = frozenset()
    added: ClassVar[Mapping[str, Any]] = {}
    texts: ClassVar[Mapping[str, Callable[[Any], str]]] = {}
    cleared: ClassVar[str] = REMOVED
    alternatives: ClassVar[frozenset[str]] = frozenset()
    money: ClassVar[Mapping[str, str]] = {}
    replaced_by: ClassVar[str | None] = None

    id = Text(primary_key=True)
    revision = Integer()
    created_at = Timestamptz()

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The `derived` columns: pure functions of the others, kept by the recorder, absent from events."""
        return {}

    @staticmethod
    def label(row: Mapping[str, Any]) -> str:
        """How a person would call this row."""
        return str(row["name"])

    @staticmethod
    def about(row: Mapping[str, Any]) -> str:
        """The id of the customer, contact or user whose data the row holds (else its own id)."""
        return str(row["id"])

    @staticmethod
    def customer_of(row: Mapping[str, Any]) -> str | None:
        """The id of the customer whom the row's events concern."""
        return None

    @staticmethod
    def sales_document_of(row: Mapping[str, Any]) -> str | None:
        """The id of the sales document that the row belongs to: its events stand there, not in the customer's view."""
        return None


@cache
def columns(table: type[Table]) -> tuple[str, ...]:
    """The names of the columns, in the order of the table."""
    return tuple(column._meta.name for column in table._meta.columns)


@cache
def json_columns(table: type[Table]) -> frozenset[str]:
    """The columns whose text is JSON."""
    return frozenset(column._meta.name for column in table._meta.columns if isinstance(column, Json))


@cache
def references(table: type[Table]) -> Mapping[str, type[Table]]:
    """Foreign key column → the table that it points to."""
    return {
        column._meta.name: column._foreign_key_meta.resolved_references for column in table._meta.foreign_key_columns
    }


def encode(value: object) -> str:
    """A Json column's text for `value`: sorted keys, no spaces, so that equal values are equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def decode_row(table: type[Table], row: Row) -> Row:
    """The row with its Json columns as values."""
    for name in json_columns(table):
        if row[name] is not None:
            row[name] = orjson.loads(row[name])
    return row


def quoted(name: str) -> str:
    """An SQL identifier; `user` and `primary` are reserved words."""
    return f'"{name}"'


def column_list(table: type[Table], alias: str | None = None) -> str:
    """All columns of the table for a SELECT."""
    return _listed(columns(table), alias)


def read_list(table: type[Table], alias: str | None = None) -> str:
    """The columns of the table for a SELECT whose rows are answered: without those that nobody reads."""
    unread = table.unread if issubclass(table, Audited) else frozenset()
    return _listed([name for name in columns(table) if name not in unread], alias)


def _listed(names: Iterable[str], alias: str | None) -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quoted(name) for name in names)
