"""How large a document may be: counted before anything else looks at it, and once per fragment.

graphql-core's own rules take seconds for documents of two kilobytes that unfold or repeat themselves (its
OverlappingFieldsCanBeMerged is quadratic), so `excess` runs before them; `schema.scan` refuses floods before parsing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationRule,
)

from models.listing import MAX_PAGE


@dataclass(frozen=True)
class Limits:
    """The most that a document may hold, of each kind; `docs/settings.md` says what each means."""

    length: int = 64 * 1024
    tokens: int = 2000
    operations: int = 20
    variables: int = 50
    depth: int = 12
    aliases: int = 15
    fields: int = 500
    directives: int = 50
    # Pairs of fields that have to be compared because they share their place in the answer.
    repeats: int = 2500
    # The pages of all connections together, each multiplied by those around it.
    nodes: int = 2 * MAX_PAGE * MAX_PAGE


class Size(NamedTuple):
    """What an operation or a fragment holds, with all that it spreads."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0

    def beside(self, other: Size) -> Size:
        """Both in the same selection."""
        return Size(max(self.depth, other.depth), *(mine + its for mine, its in zip(self[1:], other[1:], strict=True)))


class TooLarge(GraphQLError):
    """A document that is too large; each limit has its code."""

    def __init__(self, kind: str, found: int, allowed: int, told: str) -> None:
        message = told.format(f"{found:,}", f"{allowed:,}")
        super().__init__(message, extensions={"code": f"{kind}_LIMIT"})


_TOLD = {
    "depth": ("DEPTH", "The query is {} levels deep; {} are allowed."),
    "aliases": ("ALIAS", "The query has {} aliases; {} are allowed."),
    "fields": ("FIELD", "The query has {} fields, counted wherever a fragment brings them; {} are allowed."),
    "directives": ("DIRECTIVE", "The query has {} directives; {} are allowed."),
    "operations": ("OPERATION", "The document has {} operations; {} are allowed."),
    "variables": ("VARIABLE", "An operation has {} variables; {} are allowed."),
    "tokens": ("TOKEN", "The document has more than {1} tokens."),
    "length": ("LENGTH", "The document has {} characters; {} are allowed: send long values as variables."),
    "repeats": ("REPEAT", "Fields that are asked for again and again make {} pairs to compare; {} are allowed."),
    "nodes": ("COST", "The query could return {} nodes; {} are allowed. Ask for smaller pages."),
}


def too_large(name: str, found: int, limits: Limits) -> TooLarge | None:
    """The error, when there is more than the limit of that name allows."""
    allowed: int = getattr(limits, name)
    if found <= allowed:
        return None
    kind, told = _TOLD[name]
    return TooLarge(kind, found, allowed, told)


class TextRule(ValidationRule):
    """Refuses null characters, which a document can write as an escape and PostgreSQL does not take."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Check one text."""
        if "\0" in node.value:
            self.report_error(GraphQLError("Text must not hold null characters.", node))


def excess(document: DocumentNode, limits: Limits) -> TooLarge | None:
    """What the document has too much of, if anything. The time is proportional to the document's length."""
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if error := too_large("operations", len(operations), limits):
        return error
    counter = _Counter(document)
    for operation in operations:
        if error := too_large("variables", len(operation.variable_definitions or ()), limits):
            return error
        try:
            size = counter.operation(operation)
        except RecursionError:
            return too_large("depth", limits.depth + 1, limits)
        for name, found in size._asdict().items():
            if error := too_large(name, found, limits):
                return error
        if error := too_large("repeats", counter.repeats([operation.selection_set]), limits):
            return error
    return None


def size_of(document: DocumentNode, operation: OperationDefinitionNode) -> Size:
    """What the operation holds."""
    return _Counter(document).operation(operation)


class _Counter:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._sizes: dict[str, Size] = {}

    def operation(self, node: OperationDefinitionNode) -> Size:
        own = len(node.directives or ()) + sum(len(given.directives or ()) for given in node.variable_definitions or ())
        return self._set(node.selection_set).beside(Size(directives=own))

    def _set(self, node: SelectionSetNode | None) -> Size:
        size = Size()
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                inner = self._set(selection.selection_set)
                # Introspection has a depth rule of its own in graphql-core.
                depth = 0 if selection.name.value.startswith("__") else inner.depth
                found = Size(
                    depth + 1, inner.aliases + (selection.alias is not None), inner.fields + 1, inner.directives
                )
            elif isinstance(selection, FragmentSpreadNode):
                found = self._fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                found = self._set(selection.selection_set)
            else:
                continue
            size = size.beside(found).beside(Size(directives=len(selection.directives or ())))
        return size

    def _fragment(self, name: str) -> Size:
        if name not in self._sizes:
            # A fragment that spreads itself is refused by another rule; here it must only end.
            self._sizes[name] = Size()
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._sizes[name] = self._set(fragment.selection_set)
        return self._sizes[name]

    def repeats(self, sets: Sequence[SelectionSetNode]) -> int:
        """The pairs that OverlappingFieldsCanBeMerged compares in selections that are merged into one.

        Call it for operations with few fields only: it unfolds them.
        """
        merged: dict[str, list[SelectionSetNode | None]] = defaultdict(list)
        spread: set[str] = set()
        waiting = list(sets)
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, FieldNode):
                    merged[(node.alias or node.name).value].append(node.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    waiting.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    if node.name.value in self._fragments:
                        waiting.append(self._fragments[node.name.value].selection_set)
        found = _pairs(len(spread)) + sum(_pairs(len(nodes)) for nodes in merged.values())
        below = ([node for node in nodes if node] for nodes in merged.values())
        return found + sum(self.repeats(nodes) for nodes in below if nodes)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
