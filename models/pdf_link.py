"""Addresses from which the PDF of a sales document or a statement can be downloaded for a few minutes."""

from __future__ import annotations

from typing import NamedTuple

from models import signed_link

PATH = "/pdf/"

_SALT = b"counterfoil.pdf"


class PdfLink(NamedTuple):
    """What an address grants, to the session or the API key with the id `grantee_id`: the PDF of a sales document, or
    with a `month` (YYYY-MM) that of a customer's statement.
    """

    subject_id: str
    grantee_id: str
    month: str | None = None


def address(link: PdfLink, secret: str) -> str:
    """The path, relative to the server, of the PDF's download."""
    return f"{PATH}{signed_link.sign(link, _SALT, secret)}"


def read(token: str, secret: str) -> PdfLink | None:
    """What the token grants; None when it is not ours. signed_link.Expired after five minutes."""
    granted = signed_link.read(token, _SALT, secret)
    return None if granted is None else PdfLink(*granted)
