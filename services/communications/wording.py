"""What an email says: rendered of a template for each recipient or for all, or written by whoever sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from models import CommunicationKind, Fault, Row
from services import templates, values
from services.communications.choosing import Recipient
from services.communications.draft import Message
from services.communications.material import Material, revision
from services.templates.checking import LARGEST
from services.templates.markup import sanitized
from services.templates.structure import markup_problems

LONGEST_SUBJECT = 200
LONGEST_TEXT = 100_000
LONGEST_HTML = 300_000

# Whose message it is: id and revision of the contact, or None for the message that all share.
_Whose = tuple[str, int] | None


def own_message(given: Mapping[str, Any]) -> Message:
    """The message that somebody wrote. It can take some milliseconds. Fault INVALID at `subject`, `text` or `html`."""
    for name in ("subject", "text"):
        if given.get(name) is None:
            message = f"A text of your own needs a {name}: or leave out subject, text and html to use the template."
            raise Fault.invalid(message, name)
    html = given.get("html")
    return Message(
        subject_line=values.line(given["subject"], ("subject",), longest=LONGEST_SUBJECT),
        text=values.body(given["text"], ("text",), longest=LONGEST_TEXT),
        html=None if html is None else _own_html(html),
    )


def _own_html(html: str) -> str:
    """The HTML, held to the structure that templates have: what the sanitiser has to repair can grow without bounds."""
    written = values.body(html, ("html",), longest=LONGEST_HTML)
    for problem in markup_problems(written):
        raise Fault.invalid(str(problem), "html")
    clean = sanitized(written).strip()
    octets = len(clean.encode())
    if octets > LARGEST:
        raise Fault.invalid(f"Shorten this: as an email it has {octets:,} octets, and at most 1 MiB is sent.", "html")
    return clean


class Wording:
    """Messages as they are rendered, off the event loop, and kept for as long as what they are made of stays the same:
    what was rendered before a transaction need not be rendered in it.
    """

    def __init__(self) -> None:
        self._made_of: object = None
        self._made: dict[_Whose, Message] = {}
        self._own: Message | None = None

    async def own(self, given: Mapping[str, Any]) -> Message:
        """The message that somebody wrote: `given` is the same each time. Fault INVALID as `own_message`."""
        if self._own is None:
            self._own = await asyncio.to_thread(own_message, given)
        return self._own

    async def messages(
        self, kind: CommunicationKind, material: Material, template: Row, whose: Sequence[Recipient | None], today: date
    ) -> list[Message]:
        """The message for each recipient, or for None the one that names nobody."""
        revisions = [revision(row) for row in (template, material.settings, material.customer, material.sales_document)]
        made_of = (revisions, material.statement, today)
        if made_of != self._made_of:
            self._made_of, self._made = made_of, {}

        def render(recipient: Recipient | None) -> Message:
            return templates.render(
                template,
                templates.variables(
                    kind,
                    settings=material.settings,
                    customer=material.customer,
                    contact=recipient.contact if recipient is not None else None,
                    sales_document=material.sales_document,
                    statement=material.statement,
                    today=today,
                ),
            )

        missing = {_whose(recipient): recipient for recipient in whose if _whose(recipient) not in self._made}
        if missing:
            rendered = await asyncio.to_thread(lambda: [render(recipient) for recipient in missing.values()])
            self._made.update(zip(missing, rendered, strict=True))
        return [self._made[_whose(recipient)] for recipient in whose]


def _whose(recipient: Recipient | None) -> _Whose:
    return None if recipient is None else (recipient.contact["id"], recipient.contact["revision"])
