"""Rendering: what an email says, from a template and the values of its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from models import Row
from services.communications.draft import Message
from services.templates.language import compiled
from services.templates.markup import sanitized

# As much as a line of an email's header holds (RFC 5322, section 2.1.1).
LONGEST_SUBJECT = 998

_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def render(template: Row, variables: Mapping[str, Any]) -> Message:
    """The message of a template for the variables of an email: one line of subject, the text, and sanitised HTML."""
    html = template["html_source"]
    return Message(
        subject_line=_one_line(compiled(template["subject_source"]).render(variables)) or template["name"],
        text=_tidy(compiled(template["text_source"]).render(variables)),
        html=None if html is None else sanitized(compiled(html, html=True).render(variables)),
    )


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
