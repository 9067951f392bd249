"""Addresses from which a document, or what a communication attached, can be downloaded for a few minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from models import signed_link

PATH = "/documents/"

_SALT = b"counterfoil.document"


class Link(NamedTuple):
    """What an address grants, to the session or the API key with this id: a document, or with a `position` that one of
    the attachments of the communication with the id.
    """

    id: str
    grantee_id: str
    position: int | None = None


def address(document: Mapping[str, Any], grantee_id: str, secret: str) -> str:
    """The path, relative to the server, of the document's download."""
    return _address([document["id"], grantee_id], document["name"], secret)


def attachment_address(attachment: Mapping[str, Any], grantee_id: str, secret: str) -> str:
    """The same for one of a communication's attachments: its `name`, its `communication_id` and its `position`."""
    granted = [attachment["communication_id"], grantee_id, attachment["position"]]
    return _address(granted, attachment["name"], secret)


def _address(granted: list[str | int], name: str, secret: str) -> str:
    return f"{PATH}{signed_link.sign(granted, _SALT, secret)}/{quote(name, safe='')}"


def read(token: str, secret: str) -> Link | None:
    """What the token grants; None when it is not ours. signed_link.Expired after five minutes."""
    granted = signed_link.read(token, _SALT, secret)
    return None if granted is None else Link(*granted)
