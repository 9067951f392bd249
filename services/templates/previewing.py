"""Previewing a template: what an email would say, with a real customer or with the documented examples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import Actor
from models import (
    CommunicationKind,
    Contact,
    Customer,
    ErrorCode,
    Fault,
    Forbidden,
    Permission,
    Row,
    SalesDocument,
    Settings,
    Template,
    clock,
)
from models.identifier import check_id
from models.preferences import SETTINGS_ID
from models.rows import by_ids, primary_contacts
from models.statement import Statement, month_period
from models.statement_rows import statements
from models.table import Audited, decode_row
from services.communications.draft import Message
from services.templates.finding import chosen
from services.templates.problem import Problem
from services.templates.rendering import NAMES, render
from services.templates.sources import looked_at
from services.templates.variables import variables
from services.templates.vocabulary import examples

# The real objects that a preview can be about, in the order in which they say which customer it is.
_REAL: Mapping[str, type[Audited]] = {
    "customer_id": Customer,
    "contact_id": Contact,
    "sales_document_id": SalesDocument,
}


@dataclass(frozen=True)
class Preview:
    """A message, or by column of the sources what keeps the template from being one."""

    message: Message | None
    problems: Mapping[str, tuple[Problem, ...]]


@dataclass(frozen=True)
class _Whom:
    customer: Row | None = None
    contact: Row | None = None
    sales_document: Row | None = None
    statement: Statement | None = None


async def preview(actor: Actor, given: Mapping[str, Any]) -> Preview:
    """What the template `template_id`, or the standard one of `kind`, would say, or with the sources that are given
    (`subject_source`, `text_source`, `html_source`) instead of its own. It is written to the contact `contact_id` of
    `customer_id` about `sales_document_id`; examples stand for what is not given.

    Fault INVALID or NOT_FOUND at a field; Forbidden for customers and sales documents that the actor may not see.
    """
    template = await _template(given)
    kind = CommunicationKind(template["kind"])
    whom = await _whom(actor, kind, given)
    [settings] = await by_ids(Settings)([SETTINGS_ID])
    known = variables(
        kind,
        settings=_decoded(Settings, settings),
        customer=whom.customer,
        contact=whom.contact,
        sales_document=whom.sales_document,
        statement=whom.statement,
        today=clock.now().date(),
    )
    real = {"company", "today"} | {name for name, row in vars(whom).items() if row is not None}
    shown = {**examples(kind), **{name: value for name, value in known.items() if name in real}}
    return await asyncio.to_thread(_rendered, template, given, shown)


def _rendered(template: Row, given: Mapping[str, Any], shown: Mapping[str, Any]) -> Preview:
    meant = {name: given.get(name, template[name]) for name in NAMES}
    sources, problems = looked_at(CommunicationKind(template["kind"]), meant)
    return Preview(None if problems else render({**template, **sources}, shown), problems)


async def _template(given: Mapping[str, Any]) -> Row:
    kind, template_id = given.get("kind"), given.get("template_id")
    if (kind is None) == (template_id is None):
        raise Fault.invalid("Name a template, or a kind for its standard template: one of the two.", "kind")
    if kind is not None:
        return await chosen(kind)
    return await _found(Template, str(template_id), "template_id")


async def _whom(actor: Actor, kind: CommunicationKind, given: Mapping[str, Any]) -> _Whom:
    ids = {name: given[name] for name in _REAL if given.get(name) is not None}
    if not ids:
        return _Whom()
    _check_sees(actor, kind, ids)
    rows = {name: await _found(_REAL[name], identifier, name) for name, identifier in ids.items()}
    customer_id = next(row["id" if name == "customer_id" else "customer_id"] for name, row in rows.items())
    for name, row in rows.items():
        if name != "customer_id" and row["customer_id"] != customer_id:
            raise Fault.invalid("This belongs to another customer.", name)
    return _Whom(
        rows.get("customer_id") or await _found(Customer, customer_id, "customer_id"),
        rows.get("contact_id") or await _primary(customer_id),
        rows.get("sales_document_id"),
        await _statement(customer_id) if kind is CommunicationKind.STATEMENT else None,
    )


async def _primary(customer_id: str) -> Row:
    """The customer's primary contact, or somebody without a name."""
    [primary] = await primary_contacts([customer_id])
    return primary or dict.fromkeys(("first_name", "last_name"))


async def _statement(customer_id: str) -> Statement | None:
    """That of the running month."""
    today = clock.now().date()
    [statement] = await statements([customer_id], month_period(today.isoformat()[:7], today))
    return statement


def _check_sees(actor: Actor, kind: CommunicationKind, ids: Mapping[str, Any]) -> None:
    if not actor.may(Permission.CUSTOMERS_READ):
        raise Forbidden("A preview with a real customer needs the permission CUSTOMERS_READ, too.")
    about_documents = "sales_document_id" in ids or kind is CommunicationKind.STATEMENT
    if about_documents and not actor.may(Permission.SALES_DOCUMENTS_READ):
        raise Forbidden("A preview with sales documents needs the permission SALES_DOCUMENTS_READ, too.")


async def _found(table: type[Audited], identifier: str, field: str) -> Row:
    check_id(identifier, table.prefix, field)
    [row] = await by_ids(table)([identifier])
    if row is None:
        what = table.subject.value.replace("_", " ")
        raise Fault(ErrorCode.NOT_FOUND, f"There is no {what} with this ID.", (field,))
    return _decoded(table, row)


def _decoded(table: type[Audited], row: Row | None) -> Row:
    return decode_row(table, dict(row or {}))
