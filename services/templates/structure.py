"""Checking the HTML of a template: that its tags are known and closed in order, so that what is sent is what was meant.

It also keeps browsers and the sanitiser from having to repair anything: repairs can take quadratic time and space.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from jinja2 import nodes

from services.templates.markup import ATTRIBUTES, INLINE, ODD_STYLE, PHRASING, SCHEMES, STYLES, TAGS, VOID
from services.templates.problem import Problem, Problems

DEEPEST = 40

# What stands for a value, and for if and for. Sources do not have these characters.
_SHOWN, _BLOCK = "\x00", "\x01"
_MARKS = re.compile(f"[{_SHOWN}{_BLOCK}]")
_VALUE = rf"""(?:"[^"<>{_BLOCK}]*"|'[^'"<>{_BLOCK}]*')"""
_ATTRIBUTE = rf"[A-Za-z][A-Za-z0-9-]*+(?:\s*+=\s*+{_VALUE})?+"
_PIECE = re.compile(rf"<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9]*+)(?P<given>(?:\s++{_ATTRIBUTE})*+)\s*+/?>|[<{_BLOCK}]")
_GIVEN = re.compile(rf"([A-Za-z][A-Za-z0-9-]*+)(?:\s*+=\s*+({_VALUE}))?+")
_ADDRESS = re.compile(rf"(?:{'|'.join(sorted(SCHEMES))}):|{_SHOWN}", re.IGNORECASE)
_UNREADABLE = (
    "This tag cannot be read: close it, put its values in quotes, and use {{ … if … else … }} in them."
    " For a plain < write &lt;."
)


@dataclass
class _Text:
    """The text of a body with its marks, where its lines and pieces begin, and the blocks that marks stand for."""

    text: str = ""
    starts: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[nodes.If | nodes.For] = field(default_factory=list)

    def line(self, position: int) -> int:
        """The line of the source in which the character stands."""
        return self.starts[bisect_right(self.starts, position, key=itemgetter(0)) - 1][1]


def markup_problems(html: str) -> list[Problem]:
    """What keeps HTML without variables from standing in an email as it is; nothing when it may."""
    found = Problems()
    Structure(found).check([nodes.Output([nodes.TemplateData(html, lineno=1)], lineno=1)])
    return found.found


class Structure:
    """Walks the bodies of a template whose language was checked."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def check(self, body: Sequence[nodes.Node], around: tuple[str, ...] = ()) -> None:
        """Check that each tag may stand where it does, and that all that the body opens is closed in it.

        `around` are the elements that are open around the body.
        """
        text = _text(body)
        blocks = iter(text.blocks)
        inside: list[tuple[str, int]] = []
        for match in _PIECE.finditer(text.text):
            line = text.line(match.start())
            here = (*around, *(tag for tag, _ in inside))
            if match[0] == _BLOCK:
                self._block(next(blocks), here)
            elif match[0] == "<" or len(here) > DEEPEST:
                self._problems.add(line, _UNREADABLE if match[0] == "<" else "This is nested too deeply: simplify it.")
                return
            elif match["end"]:
                self._close(match["tag"].lower(), line, inside)
            else:
                self._open(match["tag"].lower(), match["given"], line, here)
                if match["tag"].lower() not in VOID:
                    inside.append((match["tag"].lower(), line))
        for tag, line in inside:
            self._problems.add(line, f"<{tag}> is not closed, or not in the block in which it stands.")

    def _block(self, node: nodes.If | nodes.For, around: tuple[str, ...]) -> None:
        bodies = [node.body, node.else_]
        if isinstance(node, nodes.If):
            bodies += [branch.body for branch in node.elif_]
        for body in bodies:
            self.check(body, around)

    def _close(self, tag: str, line: int, inside: list[tuple[str, int]]) -> None:
        if tag in VOID or tag not in TAGS:
            self._problems.add(line, f"</{tag[:50]}> may not stand in an email.")
        elif not inside or inside[-1][0] != tag:
            before = f": close <{inside[-1][0]}> before" if inside else ", which is not open in this block"
            self._problems.add(line, f"This is the end of <{tag}>{before}.")
            inside[:] = [(open_tag, at) for open_tag, at in inside if open_tag != tag]
        else:
            inside.pop()

    def _open(self, tag: str, given: str, line: int, around: tuple[str, ...]) -> None:
        if tag not in TAGS:
            self._problems.add(line, f"<{tag[:50]}> may not stand in an email. There are {', '.join(sorted(TAGS))}.")
            return
        outer = next((one for one in reversed(around) if one in PHRASING), None)
        if outer is not None and tag not in INLINE:
            self._problems.add(line, f"<{tag}> may not stand in <{outer}>: close that before.")
        if tag == "a" and "a" in around:
            self._problems.add(line, "A link may not stand in another one.")
        names: set[str] = set()
        for match in _GIVEN.finditer(given):
            name = match[1].lower()
            if name in names:
                self._problems.add(line, f"<{tag}> has {name} twice.")
            names.add(name)
            self._attribute(tag, name, (match[2] or '""')[1:-1].strip(), line)

    def _attribute(self, tag: str, name: str, value: str, line: int) -> None:
        if name not in ATTRIBUTES[tag]:
            known = ", ".join(sorted(ATTRIBUTES[tag]))
            self._problems.add(line, f"<{tag}> may not have {name[:50]} in an email, only {known}.")
        elif name == "href" and not _ADDRESS.match(value):
            self._problems.add(line, "Write a whole address, beginning with https:// or mailto:.")
        elif name == "style":
            self._style(value, line)

    def _style(self, value: str, line: int) -> None:
        if ODD_STYLE.search(value):
            self._problems.add(line, "A style may hold plain values only, nothing that is loaded or computed.")
            return
        for declaration in filter(None, (part.strip() for part in value.split(";"))):
            name = declaration.partition(":")[0].strip().lower()
            if name not in STYLES:
                known = ", ".join(sorted(STYLES))
                self._problems.add(line, f"The style “{name[:50]}” may not stand in an email. There are {known}.")


def _text(body: Sequence[nodes.Node]) -> _Text:
    found = _Text()
    pieces: list[str] = []
    length = 0
    for node in _flat(body):
        piece = _MARKS.sub(" ", node.data) if isinstance(node, nodes.TemplateData) else _SHOWN
        if isinstance(node, nodes.If | nodes.For):
            found.blocks.append(node)
            piece = _BLOCK
        for number, line in enumerate(piece.splitlines(keepends=True)):
            found.starts.append((length, node.lineno + number))
            pieces.append(line)
            length += len(line)
    found.text = "".join(pieces)
    return found


def _flat(body: Sequence[nodes.Node]) -> Iterator[nodes.Node]:
    for node in body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            yield node
