"""docs/templates.md says what templates can name and hold: no more, no less."""

from __future__ import annotations

import re
from pathlib import Path

from models import CommunicationKind
from services.templates.markup import ATTRIBUTES, SCHEMES, STYLES, TAGS
from services.templates.values import FILTERS, TESTS
from services.templates.vocabulary import LOOP, Variable, documented

TEXT = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")


def row(variable: Variable) -> str:
    example = (variable.example or "").replace("\n", " / ")
    return f"| `{variable.name}` | {variable.description} | {example} |"


def test_all_variables_of_all_kinds_are_documented() -> None:
    rows: dict[str, set[str]] = {kind.value: set() for kind in CommunicationKind}
    for section in TEXT.split("\n### ")[1:]:
        [kinds] = re.findall(r"^For (.*?)\.$", section, re.MULTILINE | re.DOTALL)
        found = {line for line in section.splitlines() if line.startswith("| `")}
        for kind in re.findall(r"`(\w+)`", kinds):
            rows[kind] |= found
    for kind in CommunicationKind:
        assert rows[kind.value] == {row(variable) for variable in documented(kind)}


def test_the_whole_language_is_documented() -> None:
    language, html = TEXT[: TEXT.index("## HTML")], TEXT[TEXT.index("## HTML") : TEXT.index("## Variables")]
    for name in FILTERS:
        assert re.search(rf"`{name}(\(…\))?`", language), name
    for name in (*(f"is {test}" for test in TESTS), *(f"loop.{part}" for part in LOOP.parts)):
        assert f"`{name}`" in language, name
    told = set(re.findall(r"`([^`]+)`", html)) - {"<br>", "if", "for"}
    known = {
        *TAGS,
        *STYLES,
        *(f"{scheme}:" for scheme in SCHEMES),
        *(name for some in ATTRIBUTES.values() for name in some),
    }
    assert told == known
