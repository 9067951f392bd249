"""Documents: files on a customer."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from models import Permission, Row, download, signing_key
from schema.access import needs
from schema.connection import Direction
from schema.context import Context
from schema.field import batched, derived, plain, referred, required
from schema.history import updated_at
from schema.node import Node

if TYPE_CHECKING:
    from schema.actor import Actor
    from schema.customer import Customer


@strawberry.enum(description="By what documents are ordered. Values may be added.")
class DocumentOrderField(Enum):
    """By what documents are ordered."""

    NAME = strawberry.enum_value("NAME", description="By name, case ignored.")
    CREATED_AT = strawberry.enum_value("CREATED_AT", description="By the time they were uploaded.")


@strawberry.input(description="The order of documents.")
class DocumentOrder:
    """The order of documents."""

    field: DocumentOrderField = required("By what.")
    direction: Direction = required("In which direction.")


def _download_url(row: Row, secret: str, context: Context) -> Any:
    return download.address(row, context.grantee_id or "", secret)


@strawberry.type(
    description="A file on a customer. Its bytes never change; its name may.",
    directives=[needs(Permission.DOCUMENTS_READ)],
)
class Document(Node):
    """A file on a customer."""

    revision: int = plain("Counts the changes; for `expectedRevision`.")
    created_at: datetime = plain("When it was uploaded.")
    updated_at: datetime = updated_at()
    name: str = plain("What the file is called, its extension included.")
    size: int = plain("How many bytes it has.")
    sha256: str = plain("The SHA-256 of its bytes, in hexadecimal.")
    media_type: str = plain("What it is, told by its bytes: a media type such as application/pdf.")
    uploader: Annotated[Actor, strawberry.lazy("schema.actor")] = derived(
        lambda row: {"kind": row["uploader_kind"], "id": row["uploader_id"], "name": row["uploader_name"]},
        "Who uploaded it, as they were called then.",
    )
    customer: Annotated[Customer, strawberry.lazy("schema.customer")] = referred(
        "customer_id", models.Customer, "The customer in whose profile it stands."
    )
    download_url: str = batched(
        lambda _row: signing_key.DOWNLOADS,
        signing_key.by_names,
        "Where to download it with GET: a path on this server. It works for five minutes and needs no other sign-in, "
        "as long as whoever asked for it is signed in and may read documents.",
        then=_download_url,
    )
