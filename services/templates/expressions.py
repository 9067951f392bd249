"""Checking expressions of templates: only what is documented, compared only with its like, nothing that runs long."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import nodes

from services.templates.problem import Problems, unknown
from services.templates.values import FILTERS, TESTS
from services.templates.vocabulary import Group, Part, Several, Shape, Value

DEEPEST = 40
LARGEST = 10**15

_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ORDERED = frozenset({"lt", "lteq", "gt", "gteq"})
_AMOUNTS = frozenset({Shape.NUMBER, Shape.MONEY})
# The filters that are for one shape, and the word that may stand in their parentheses.
_STYLES = {"money": (Shape.MONEY, "plain"), "date": (Shape.DATE, "iso")}
_FLAG = Value("", "", Shape.FLAG, 0)


@dataclass
class Expressions:
    """Walks expressions. `scope` are the names that can be used, `count` the expressions seen so far."""

    scope: Mapping[str, Part]
    problems: Problems
    count: int = 0

    def shown(self, node: nodes.Node) -> int:
        """Check an expression whose value is shown; how many characters it has at most."""
        part = self._value(node, 0)
        if part is None:
            return 0
        if isinstance(part, Group):
            self._say(node, f"This is several values: name one of them, {', '.join(part.parts)}.")
        elif isinstance(part, Several):
            self._say(node, "This is a list: repeat something for each with {% for … in … %}.")
        elif part.shape is Shape.FLAG:
            self._say(node, "This is a yes or no: use it in {% if … %}, or as {{ … if … else … }}.")
        return part.longest if isinstance(part, Value) else 0

    def condition(self, node: nodes.Node) -> None:
        """Check an expression of which only counts whether it is true."""
        self._value(node, 0)

    def listed(self, node: nodes.Node) -> Several | None:
        """The list that something is repeated for; None, and a problem, for anything else."""
        part = self._value(node, 0)
        if part is not None and not isinstance(part, Several):
            self._say(node, "Only for a documented list something can be repeated, such as statement.lines.")
            return None
        return part

    def _say(self, node: nodes.Node, message: str) -> None:
        self.problems.add(node.lineno, message)

    def _value(self, node: nodes.Node, depth: int) -> Part | None:
        """What the expression is; None, and a problem, for what may not be."""
        self.count += 1
        if depth > DEEPEST:
            self._say(node, "This is nested too deeply: make it simpler.")
            return None
        check = getattr(self, f"_{type(node).__name__.lower()}", None)
        if check is None:
            self._say(node, _refusal(node))
            return None
        part: Part | None = check(node, depth + 1)
        return part

    def _name(self, node: nodes.Name, _: int) -> Part | None:
        if node.name not in self.scope:
            self._say(node, unknown("variable", node.name, list(self.scope)))
        return self.scope.get(node.name)

    def _getattr(self, node: nodes.Getattr, depth: int) -> Part | None:
        of = self._value(node.node, depth)
        if of is None:
            return None
        if not isinstance(of, Group):
            self._say(node, f"What stands before .{node.attr[:50]} has no parts.")
            return None
        if node.attr not in of.parts:
            self._say(node, unknown("part", node.attr, list(of.parts)))
        return of.parts.get(node.attr)

    def _const(self, node: nodes.Const, _: int) -> Part | None:
        value = node.value
        if isinstance(value, bool):
            return _FLAG
        if isinstance(value, int | float):
            if not abs(value) < LARGEST or not math.isfinite(value):
                self._say(node, f"Use numbers below {LARGEST:,}.")
                return None
            return Value("", "", Shape.NUMBER, 30)
        if isinstance(value, str):
            if _NO_TEXT.search(value):
                self._say(node, "Remove the control characters from this text.")
                return None
            return Value("", "", Shape.TEXT, len(value))
        return Value("", "", Shape.TEXT, 0)

    def _neg(self, node: nodes.Neg, depth: int) -> Part | None:
        if not isinstance(node.node, nodes.Const) or isinstance(node.node.value, str | bool | None):
            self._say(node, _refusal(node))
            return None
        return self._value(node.node, depth)

    def _condexpr(self, node: nodes.CondExpr, depth: int) -> Part | None:
        self._value(node.test, depth)
        if node.expr2 is None:
            self._say(node, "Say what is shown otherwise: {{ … if … else … }}.")
            return None
        return _either(self._value(node.expr1, depth), self._value(node.expr2, depth))

    def _and(self, node: nodes.And | nodes.Or, depth: int) -> Part | None:
        return _either(self._value(node.left, depth), self._value(node.right, depth))

    _or = _and

    def _not(self, node: nodes.Not, depth: int) -> Part | None:
        self._value(node.node, depth)
        return _FLAG

    def _test(self, node: nodes.Test, depth: int) -> Part | None:
        self._value(node.node, depth)
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._say(node, unknown("test", node.name, list(TESTS)))
        return _FLAG

    def _compare(self, node: nodes.Compare, depth: int) -> Part | None:
        left = self._value(node.expr, depth)
        for operand in node.ops:
            if operand.op in {"in", "notin"}:
                self._choices(operand.expr, depth)
                right = None
            else:
                right = self._value(operand.expr, depth)
                self._comparable(node, operand.op, left, right)
            left = right
        return _FLAG

    def _choices(self, node: nodes.Node, depth: int) -> None:
        if not isinstance(node, nodes.List | nodes.Tuple) or not all(
            isinstance(one, nodes.Const) for one in node.items
        ):
            self._say(node, "Name the choices after in, such as in (“EUR”, “USD”), in straight quotes.")
            return
        for one in node.items:
            self._value(one, depth)

    def _comparable(self, node: nodes.Compare, op: str, left: Part | None, right: Part | None) -> None:
        if left is None or right is None:
            return
        if not (isinstance(left, Value) and isinstance(right, Value)):
            self._say(node, "Only single values can be compared.")
        elif op in _ORDERED:
            shapes = {left.shape, right.shape}
            if not shapes <= _AMOUNTS and shapes != {Shape.DATE}:
                self._say(node, "Only numbers and amounts can be less or more than each other, and days.")

    def _filter(self, node: nodes.Filter, depth: int) -> Part | None:
        value = None if node.node is None else self._value(node.node, depth)
        if node.name not in FILTERS:
            self._say(node, unknown("filter", node.name, list(FILTERS)))
            return None
        if value is None:
            return None
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._say(node, f"The filter {node.name} takes no named values.")
            return None
        if node.name == "default":
            return self._default(node, value, depth)
        if node.name in _STYLES:
            return self._styled(node, value)
        if node.args:
            self._say(node, f"The filter {node.name} takes no values.")
            return None
        return self._of_text(node, value)

    def _default(self, node: nodes.Filter, value: Part, depth: int) -> Part | None:
        if len(node.args) != 1:
            self._say(node, "Say one thing to show instead: default(“there”), in straight quotes.")
            return None
        return _either(value, self._value(node.args[0], depth))

    def _styled(self, node: nodes.Filter, value: Part) -> Part | None:
        shape, style = _STYLES[node.name]
        if not isinstance(value, Value) or value.shape is not shape:
            self._say(node, f"The filter {node.name} is for {'amounts' if shape is Shape.MONEY else 'days'} only.")
            return None
        if any(not isinstance(given, nodes.Const) or given.value != style for given in node.args) or len(node.args) > 1:
            self._say(node, f"The filter {node.name} takes nothing, or “{style}” in straight quotes.")
            return None
        return Value("", "", Shape.TEXT, value.longest)

    def _of_text(self, node: nodes.Filter, value: Part) -> Part | None:
        if node.name == "length" and isinstance(value, Several):
            return Value("", "", Shape.NUMBER, 20)
        if not isinstance(value, Value) or value.shape is Shape.FLAG:
            self._say(node, f"The filter {node.name} is for single values.")
            return None
        if node.name == "length":
            return Value("", "", Shape.NUMBER, 20)
        return Value("", "", Shape.TEXT, value.longest)


def _either(one: Part | None, other: Part | None) -> Part | None:
    """One or the other: what neither can do is refused; only whether it is true counts for all but single values."""
    if one is None or other is None:
        return None
    if not (isinstance(one, Value) and isinstance(other, Value)) or Shape.FLAG in {one.shape, other.shape}:
        return _FLAG
    shape = one.shape if one.shape is other.shape else Shape.TEXT
    return Value("", "", shape, max(one.longest, other.longest))


def _refusal(node: nodes.Node) -> str:
    if isinstance(node, nodes.Call):
        return "Templates cannot call functions: they only show variables, with if, for and filters."
    if isinstance(node, nodes.Getitem):
        return "Write a part of a variable with a dot, such as customer.name."
    if isinstance(node, nodes.BinExpr | nodes.UnaryExpr | nodes.Concat):
        return "Templates do not calculate: they only show and compare."
    return f"Templates have no {type(node).__name__.lower()}: they only show variables, with if, for and filters."
