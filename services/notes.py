"""What may happen to notes. Every earlier text stays in history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import Change
from models import Contact, Customer, Fault, Forbidden, Note, Permission, Row, SalesDocument
from models.identifier import prefix_of
from services import values


async def create(change: Change, given: Mapping[str, Any]) -> Row:
    """Write a note on a customer, on one of its contacts or on a sales document (`subject_id`)."""
    subject_id = given["subject_id"]
    field = ("subject_id",)
    kind = prefix_of(subject_id)
    if kind == Contact.prefix:
        contact = await change.refer(Contact, subject_id, field)
        subject = {"customer_id": contact["customer_id"], "contact_id": contact["id"]}
    elif kind == SalesDocument.prefix:
        _check_sees(change, subject_id)
        document = await change.refer(SalesDocument, subject_id, field)
        subject = {"customer_id": document["customer_id"], "sales_document_id": document["id"]}
    elif kind == Customer.prefix:
        subject = {"customer_id": (await change.refer(Customer, subject_id, field))["id"]}
    else:
        raise Fault.invalid(
            "This is not the ID of a customer, a contact or a sales document: cus_…, con_… or sdo_….", *field
        )
    author = {
        "author_kind": change.actor.kind.value,
        "author_id": change.actor.id,
        "author_name": change.actor.name,
    }
    return await change.insert(Note, {"pinned": False, **subject, **author, **_clean(given)})


async def update(change: Change, identifier: str, expected_revision: int | None, given: Mapping[str, Any]) -> Row:
    """Change the text, or pin and unpin."""
    await _check_sees_note(change, identifier)
    row = await change.get(Note, identifier, expected_revision)
    return await change.update(Note, row, _clean(given))


async def delete(change: Change, identifier: str, expected_revision: int | None) -> None:
    """Remove a note; its texts stay in history."""
    await _check_sees_note(change, identifier)
    await change.delete(Note, await change.get(Note, identifier, expected_revision, to_delete=True))


async def _check_sees_note(change: Change, identifier: str) -> None:
    # Before its revision is looked at.
    _check_sees(change, (await change.read(Note, identifier))["sales_document_id"])


def _check_sees(change: Change, sales_document_id: str | None) -> None:
    if sales_document_id is not None and not change.actor.may(Permission.SALES_DOCUMENTS_READ):
        raise Forbidden("A note on a sales document needs the permission SALES_DOCUMENTS_READ, too.")


def _clean(given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("body", "pinned"):
        if name in given and given[name] is None:
            raise Fault.invalid(f"{name.capitalize()} is required: it cannot be null.", name)
    if "body" in given:
        fields["body"] = values.body(given["body"], ("body",))
    if "pinned" in given:
        fields["pinned"] = given["pinned"]
    return fields
