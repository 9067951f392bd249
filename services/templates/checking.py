"""Checking the source of a template before it is kept: that it can be rendered with all data, in bounded time and size.

What passes never fails when an email is sent. The language is an allow-list over the syntax tree of Jinja.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import jinja2
from jinja2 import nodes

from models import CommunicationKind
from services.templates.expressions import Expressions
from services.templates.language import HTML, PLAIN, compiled
from services.templates.problem import Problem, Problems
from services.templates.structure import Structure
from services.templates.vocabulary import LOOP, Group, parts

# Octets of a rendered text or HTML, at most.
LARGEST = 1024 * 1024
# Expressions and blocks of a source; and how many of them are run, each round of a loop counted.
MOST_NODES = 5_000
MOST_STEPS = 100_000
_DEEPEST = 8
_LONGEST_CHAIN = 20
# How many octets a character becomes at most: escaped for HTML, or as three capitals of two octets each.
_OCTETS_OF_VALUE = 6
_OCTETS_OF_HTML = 5

_KEPT = 128


@lru_cache(maxsize=_KEPT)
def problems(kind: CommunicationKind, source: str, *, html: bool = False) -> tuple[Problem, ...]:
    """What keeps a source from being a template of this kind; nothing when it is one."""
    found = Problems()
    tree = _parsed(source, found, html=html)
    if tree is not None:
        _Checker(kind, found, html=html).check(tree)
    if tree is not None and html and not found.found:
        Structure(found).check(tree.body)
    if not found.found:
        compiled(source, html=html)
    return tuple(found.found)


def without_link(kind: CommunicationKind, source: str, *, html: bool = False) -> tuple[Problem, ...]:
    """What keeps the source of a text or of HTML, which has no other problems, from bringing the link of its kind."""
    if "link" not in parts(kind) or _shows_link((HTML if html else PLAIN).parse(source).body):
        return ()
    return (Problem("This email brings a link: write {{ link }}, and not only under a condition."),)


def _shows_link(body: Sequence[nodes.Node]) -> bool:
    """Whether it is shown as it is, whatever the conditions come to."""
    for node in body:
        if isinstance(node, nodes.Output):
            if any(isinstance(child, nodes.Name) and child.name == "link" for child in node.nodes):
                return True
        elif isinstance(node, nodes.If):
            branches = [node.body, *(branch.body for branch in node.elif_), node.else_]
            if all(map(_shows_link, branches)):
                return True
    return False


def _parsed(source: str, found: Problems, *, html: bool) -> nodes.Template | None:
    try:
        return (HTML if html else PLAIN).parse(source)
    except jinja2.TemplateSyntaxError as error:
        found.add(error.lineno, _explained(error.message or "This cannot be understood."))
    except RecursionError:
        found.add(None, "This is nested too deeply: make it simpler.")
    except (ValueError, OverflowError):
        found.add(None, "A number in it is too long.")
    return None


def _explained(message: str) -> str:
    """Jinja's message, without what its language has beyond ours."""
    first = message.split(". ", maxsplit=1)[0].strip().rstrip(".")
    return f"{first[:200]}."


class _Checker:
    def __init__(self, kind: CommunicationKind, found: Problems, *, html: bool) -> None:
        self._found = found
        self._expressions = Expressions(parts(kind), found)
        self._html = html
        self._nodes = 0
        self._steps = 0
        self._octets = 0

    def check(self, tree: nodes.Template) -> None:
        self._body(tree.body, times=1, depth=0)
        count = self._nodes + self._expressions.count
        if count > MOST_NODES:
            self._found.add(None, f"This has {count:,} parts: make do with {MOST_NODES:,}.")
        elif self._steps > MOST_STEPS:
            self._found.add(None, "With the longest list this takes too long: repeat less in the loop.")
        elif self._octets > LARGEST:
            size = f"{self._octets / LARGEST:,.1f} MiB"
            self._found.add(None, f"With the longest values and lists this can become {size}: at most 1 MiB is sent.")

    def _body(self, body: Sequence[nodes.Node], *, times: int, depth: int) -> None:
        for node in body:
            self._nodes += 1
            seen = self._expressions.count
            if isinstance(node, nodes.Output):
                for child in node.nodes:
                    self._output(child, times)
            elif depth >= _DEEPEST:
                self._found.add(node.lineno, "This is nested too deeply: make it simpler.")
            elif isinstance(node, nodes.If):
                self._if(node, times, depth)
            elif isinstance(node, nodes.For):
                self._for(node, times, depth)
            else:
                self._found.add(node.lineno, f"Templates have no {_word(node)}: they only have if and for.")
            self._steps += (1 + self._expressions.count - seen) * times

    def _output(self, node: nodes.Node, times: int) -> None:
        if isinstance(node, nodes.TemplateData):
            self._octets += len(node.data.encode()) * (_OCTETS_OF_HTML if self._html else 1) * times
        else:
            self._octets += self._expressions.shown(node) * _OCTETS_OF_VALUE * times

    def _if(self, node: nodes.If, times: int, depth: int) -> None:
        if len(node.elif_) > _LONGEST_CHAIN:
            self._found.add(node.lineno, f"Use at most {_LONGEST_CHAIN} times elif in a row.")
            return
        for branch in (node, *node.elif_):
            self._expressions.condition(branch.test)
            self._body(branch.body, times=times, depth=depth + 1)
        self._body(node.else_, times=times, depth=depth + 1)

    def _for(self, node: nodes.For, times: int, depth: int) -> None:
        scope = self._expressions.scope
        several = self._expressions.listed(node.iter)
        if "loop" in scope:
            self._found.add(node.lineno, "A loop cannot stand in another one.")
        elif node.recursive or node.test is not None:
            self._found.add(node.lineno, "Write a loop as {% for … in … %}, and {% if … %} inside of it.")
        elif not isinstance(node.target, nodes.Name):
            self._found.add(node.lineno, "Give what a loop goes through one name.")
        elif node.target.name in {*scope, "loop"}:
            self._found.add(node.lineno, f"Choose another name than {node.target.name[:50]}: it has a meaning already.")
        else:
            each = several.each if several else Group("", {})
            self._expressions.scope = {**scope, "loop": LOOP, node.target.name: each}
            self._body(node.body, times=times * (several.at_most if several else 1), depth=depth + 1)
            self._expressions.scope = scope
            self._body(node.else_, times=times, depth=depth + 1)


def _word(node: nodes.Node) -> str:
    return {"AssignBlock": "set", "Assign": "set", "CallBlock": "call", "FilterBlock": "filter"}.get(
        type(node).__name__, type(node).__name__.lower()
    )
