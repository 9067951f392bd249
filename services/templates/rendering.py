"""Rendering: what an email says, from a template and the values of its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from models import CommunicationKind, Fault, Row
from services.communications.draft import Message
from services.templates.checking import problems
from services.templates.language import compiled
from services.templates.markup import sanitized

# As much as a line of an email's header holds (RFC 5322, section 2.1.1), in octets.
LONGEST_SUBJECT = 998

# The columns of a template's sources.
SUBJECT_SOURCE, HTML_SOURCE = "subject_source", "html_source"
NAMES = (SUBJECT_SOURCE, "text_source", HTML_SOURCE)

_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def render(template: Row, variables: Mapping[str, Any]) -> Message:
    """The message of a template for the variables of an email: one line of subject, the text, and sanitised HTML.

    It can take some milliseconds. Fault INVALID for a template that was forced past what is checked when it is saved.
    """
    html = template["html_source"]
    return Message(
        subject_line=_one_line(_filled(template, "subject_source", variables)) or template["name"],
        text=_tidy(_filled(template, "text_source", variables)),
        html=None if html is None else sanitized(_filled(template, "html_source", variables)),
    )


def problem_of(template: Row) -> str | None:
    """Why nothing can be rendered of the template, and what to do; None when it can. It is checked once, and known."""
    for name in NAMES:
        html = name == HTML_SOURCE
        found = problems(CommunicationKind(template["kind"]), template[name], html=html) if template[name] else ()
        if found:
            return f"Mend the template {template['name']} first. Its {name.removesuffix('_source')}: {found[0]}"
    return None


def _filled(template: Row, name: str, variables: Mapping[str, Any]) -> str:
    problem = problem_of(template)
    if problem is not None:
        raise Fault.invalid(problem, "template_id")
    return compiled(template[name], html=name == HTML_SOURCE).render(variables)


def _one_line(text: str) -> str:
    """The text on one line, cut to what a line of an email holds, in octets of UTF-8."""
    line = _BREAKS.sub(" ", text).strip()
    octets = line.encode()
    if len(octets) <= LONGEST_SUBJECT:
        return line
    ellipsis = "…".encode()
    return octets[: LONGEST_SUBJECT - len(ellipsis)].decode(errors="ignore").rstrip() + "…"


def _tidy(text: str) -> str:
    """The text without the blank lines that empty values leave."""
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"
