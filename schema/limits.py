"""What a document may hold: its depth and its aliases are counted once per fragment, and its text is checked."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
)

MAX_DEPTH = 12
MAX_ALIASES = 15
# The pages of all connections together, each multiplied by those around it.
MAX_NODES = 20_000


class TextRule(ValidationRule):
    """Refuses null characters, which a document can write as an escape and PostgreSQL does not take."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Check one text."""
        if "\0" in node.value:
            self.report_error(GraphQLError("Text must not hold null characters.", node))


class SizeRule(ValidationRule):
    """Refuses operations that nest deeper than MAX_DEPTH or have more than MAX_ALIASES aliases."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, tuple[int, int]] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Count the operation's depth and aliases."""
        depth, aliases = self._count(node.selection_set)
        if depth > MAX_DEPTH:
            self._refuse(f"The query is {depth} levels deep; {MAX_DEPTH} are allowed.", node)
        if aliases > MAX_ALIASES:
            self._refuse(f"The query has {aliases} aliases; {MAX_ALIASES} are allowed.", node)

    def _refuse(self, message: str, node: OperationDefinitionNode) -> None:
        self.report_error(GraphQLError(message, node, extensions={"code": "LIMIT_EXCEEDED"}))

    def _count(self, node: SelectionSetNode | None) -> tuple[int, int]:
        depth = aliases = 0
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                inner = self._count(selection.selection_set)
                if selection.name.value.startswith("__"):
                    # Introspection has a depth rule of its own in graphql-core.
                    inner = (0, inner[1])
                below, more = inner[0] + 1, inner[1] + (selection.alias is not None)
            elif isinstance(selection, FragmentSpreadNode):
                below, more = self._fragment(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                below, more = self._count(selection.selection_set)
            else:
                continue
            depth, aliases = max(depth, below), aliases + more
        return depth, aliases

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._fragments:
            # A fragment that spreads itself is refused by another rule; here it must only end.
            self._fragments[name] = (0, 0)
            fragment = self.context.get_fragment(name)
            if isinstance(fragment, FragmentDefinitionNode):
                self._fragments[name] = self._count(fragment.selection_set)
        return self._fragments[name]
