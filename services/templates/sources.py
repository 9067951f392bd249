"""The sources of templates as people send them: cleaned, of a size that can be handled, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from models import CommunicationKind, Fault, Row, Template
from models.rows import by_ids
from services import values
from services.templates.checking import problems, without_link
from services.templates.problem import Problem
from services.templates.rendering import HTML_SOURCE, LONGEST_SUBJECT, NAMES, SUBJECT_SOURCE

# Octets of the source of a text or of HTML, at most.
LONGEST_SOURCE = 100 * 1024


def looked_at(
    kind: CommunicationKind, given: Mapping[str, Any]
) -> tuple[dict[str, str | None], dict[str, tuple[Problem, ...]]]:
    """The sources among what was given, cleaned, and what keeps them from being a template of this kind; by column."""
    sources: dict[str, str | None] = {}
    found: dict[str, tuple[Problem, ...]] = {}
    for name in NAMES:
        if name not in given:
            continue
        try:
            source = sources[name] = _CLEAN[name](given[name], name)
        except Fault as fault:
            found[name] = (Problem(fault.message),)
            continue
        wrong = () if source is None else _problems(kind, name, source)
        found.update({name: wrong} if wrong else {})
    return sources, found


def _problems(kind: CommunicationKind, name: str, source: str) -> tuple[Problem, ...]:
    html = name == HTML_SOURCE
    found = problems(kind, source, html=html)
    return found or (without_link(kind, source, html=html) if name != SUBJECT_SOURCE else ())


def checked(kind: CommunicationKind, given: Mapping[str, Any]) -> dict[str, str | None]:
    """The sources among what was given, by column, fit for a template of this kind. Fault INVALID at the field."""
    sources, found = looked_at(kind, given)
    for name, wrong in found.items():
        more = f" (There is more: {len(wrong) - 1}.)" if len(wrong) > 1 else ""
        raise Fault.invalid(f"{wrong[0]}{more}", name)
    return sources


async def check_ahead(kind: CommunicationKind | None, template_id: str | None, given: Mapping[str, Any]) -> None:
    """Check the sources for a template of the kind, or for this one, off the event loop: what was found is kept for
    the transaction that follows. Fault INVALID at the field.
    """
    if kind is None and template_id is not None:
        [row] = await by_ids(Template)([template_id])
        kind = _kind(row) if row is not None else None
    if kind is not None:
        await asyncio.to_thread(checked, kind, given)


def _kind(row: Row) -> CommunicationKind:
    return CommunicationKind(row["kind"])


def _subject(value: str | None, name: str) -> str:
    return _sized(values.line(_required(value, name), (name,), longest=LONGEST_SUBJECT), LONGEST_SUBJECT, name)


def _text(value: str | None, name: str) -> str:
    sized = _sized(_required(value, name), LONGEST_SOURCE, name)
    return _sized(values.body(sized, (name,), longest=LONGEST_SOURCE), LONGEST_SOURCE, name)


def _html(value: str | None, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _required(value: str | None, name: str) -> str:
    if value is None:
        what = name.removesuffix("_source")
        raise Fault.invalid(f"An email needs a {what}: it cannot be null.", name)
    return value


def _sized(value: str, longest: int, name: str) -> str:
    octets = len(value.encode(errors="surrogatepass"))
    if octets > longest:
        raise Fault.invalid(f"Shorten this to {longest:,} octets of UTF-8: it has {octets:,}.", name)
    return value


_CLEAN: Mapping[str, Callable[[str | None, str], str | None]] = {
    SUBJECT_SOURCE: _subject,
    "text_source": _text,
    HTML_SOURCE: _html,
}
