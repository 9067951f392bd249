"""How large a document may be: counted before anything else looks at it, and once per fragment.

graphql-core's own rules take seconds for documents of two kilobytes that unfold or repeat themselves (its
OverlappingFieldsCanBeMerged is quadratic), so `excess` runs before them; `schema.scan` refuses floods before parsing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

# What people whom nobody knows get of a limit is this part.
_SHARE = 10


@dataclass(frozen=True)
class Limits:
    """The most that a document may hold, of each kind; `docs/settings.md` says what each means."""

    length: int = 32 * 1024
    tokens: int = 2000
    operations: int = 20
    variables: int = 50
    depth: int = 12
    aliases: int = 15
    fields: int = 500
    directives: int = 50
    # Pairs of fields that have to be compared because they share their place in the answer.
    repeats: int = 2000
    # The pages of all connections together, each multiplied by those around it.
    nodes: int = 2 * MAX_PAGE * MAX_PAGE

    @property
    def of_strangers(self) -> Limits:
        """A tenth of what takes time to read, but enough to sign in and for introspection if the limits are."""
        given = ((self.length, 4096), (self.tokens, 256), (self.repeats, 200))
        length, tokens, repeats = (min(most, max(most // _SHARE, least)) for most, least in given)
        return replace(self, length=length, tokens=tokens, repeats=repeats)


class Size(NamedTuple):
    """What an operation or a fragment holds, with all that it spreads."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0


NOTHING = Size()


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
        if error := _excess_of(operation, counter, limits):
            return error
    # graphql-core compares the fields of fragments that nobody spreads, too.
    unused = (fragment for name, fragment in counter.fragments.items() if not counter.has_met(name))
    found = (_excess_of(fragment, counter, limits) for fragment in unused)
    return next(filter(None, found), None)


def _excess_of(
    part: OperationDefinitionNode | FragmentDefinitionNode, counter: _Counter, limits: Limits
) -> TooLarge | None:
    try:
        for name, found in counter.definition(part)._asdict().items():
            if error := too_large(name, found, limits):
                return error
        # What spreads itself has no end; graphql-core has a rule against it.
        return None if counter.cyclic else too_large("repeats", counter.repeats([part.selection_set]), limits)
    except RecursionError:
        return too_large("depth", limits.depth + 1, limits)


def is_cyclic(document: DocumentNode) -> bool:
    """Whether a fragment spreads itself, by whatever way."""
    counter = _Counter(document)
    for name in counter.fragments:
        counter.fragment(name)
    return counter.cyclic


def size_of(document: DocumentNode, part: OperationDefinitionNode | FragmentDefinitionNode) -> Size:
    """What the operation or the fragment holds."""
    return _Counter(document).definition(part)


class _Counter:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self.cyclic = False
        self._sizes: dict[str, Size] = {}
        self._open: set[str] = set()

    def has_met(self, name: str) -> bool:
        """Whether something that was counted spreads the fragment."""
        return name in self._sizes

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> Size:
        """What an operation or a fragment holds."""
        size = self._set(node.selection_set)
        own = len(node.directives or ())
        own += sum(len(given.directives or ()) for given in node.variable_definitions or ())
        return size._replace(directives=size.directives + own)

    def _set(self, node: SelectionSetNode | None) -> Size:
        depth = aliases = fields = directives = 0
        for selection in node.selections if node else ():
            directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                inner = self._set(selection.selection_set) if selection.selection_set else NOTHING
                aliases += selection.alias is not None
                fields += 1
                # Introspection has a depth rule of its own in graphql-core.
                below = 1 if selection.name.value.startswith("__") else inner.depth + 1
            elif isinstance(selection, FragmentSpreadNode):
                inner = self.fragment(selection.name.value)
                below = inner.depth
            elif isinstance(selection, InlineFragmentNode):
                inner = self._set(selection.selection_set)
                below = inner.depth
            else:
                continue
            depth = max(depth, below)
            aliases += inner.aliases
            fields += inner.fields
            directives += inner.directives
        return Size(depth, aliases, fields, directives)

    def fragment(self, name: str) -> Size:
        """What is behind a spread; nothing where there is no such fragment, or where it spreads itself."""
        if name in self._open:
            self.cyclic = True
            return NOTHING
        if name not in self._sizes:
            self._open.add(name)
            fragment = self.fragments.get(name)
            self._sizes[name] = self._set(fragment.selection_set) if fragment is not None else NOTHING
            self._open.remove(name)
        return self._sizes[name]

    def repeats(self, sets: Sequence[SelectionSetNode]) -> int:
        """The pairs that OverlappingFieldsCanBeMerged compares in selections that are merged into one.

        Call it for what has few fields and no cycles only: it unfolds them.
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
                    if node.name.value in self.fragments:
                        waiting.append(self.fragments[node.name.value].selection_set)
        found = _pairs(len(spread)) + sum(_pairs(len(nodes)) for nodes in merged.values())
        below = ([node for node in nodes if node] for nodes in merged.values())
        return found + sum(self.repeats(nodes) for nodes in below if nodes)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
