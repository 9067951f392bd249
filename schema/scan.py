"""A first look at a document's text, without parsing it: floods are refused in about a millisecond.

It reads what is selected and nothing else, into the nodes that a parser would make; `schema.limits` counts there as it
counts in the parsed document afterwards, so neither can find more than the other. What cannot be read so is left to
the parser, which says what is wrong.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import islice

from graphql import (
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
)

from schema.limits import Limits, TooLarge, excess, too_large

# The lexical tokens of the GraphQL specification, 2.1: block strings, strings, comments, names, spreads, numbers, the
# rest. A string without an end is one word up to where it would have to end: else each quote in it would begin one.
_WORD = re.compile(
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:""")?|"(?:[^"\\\n\r]|\\.)*+"?|#[^\n\r]*+|[A-Za-z_]\w*+|\.\.\.|[\d+-][\w.+-]*+'
    r"|[^\s,\ufeff]",
    re.ASCII,
)
_OPERATIONS = ("query", "mutation", "subscription", "{")
# What is only counted needs no name of its own.
_NAME = NameNode(value="_")
_TYPE = NamedTypeNode(name=_NAME)
_DIRECTIVE = (DirectiveNode(name=_NAME),)
_VARIABLE = (VariableDefinitionNode(variable=VariableNode(name=_NAME), type=_TYPE),)


# What makes a node of the selections that follow.
_Head = partial[FieldNode] | partial[FragmentSpreadNode] | partial[InlineFragmentNode]


class _Unreadable(Exception):
    """Here the text is no document."""


def words(text: str, most: int) -> list[str]:
    """The first lexical tokens of a document, comments included: the parser counts them. Never more than `most`."""
    return [found[0] for found in islice(_WORD.finditer(text), most)]


def flood(text: str, limits: Limits) -> TooLarge | None:
    """What the text has too much of, if anything."""
    if error := too_large("length", len(text), limits):
        return error
    found = words(text, limits.tokens + 1)
    if error := too_large("tokens", len(found), limits):
        return error
    return excess(outline([word for word in found if word[0] != "#"]), limits)


def outline(found: list[str]) -> DocumentNode:
    """The definitions with their selections, as far as they can be read; variables and directives only as many."""
    reader = _Reader(found)
    definitions: list[DefinitionNode] = []
    try:
        while reader.word():
            definitions.append(reader.definition())
    except _Unreadable:
        pass
    return DocumentNode(definitions=tuple(definitions))


class _Reader:
    def __init__(self, found: list[str]) -> None:
        self._words = found
        self._place = 0

    def word(self, ahead: int = 0) -> str:
        """The word here; an empty one at the end."""
        place = self._place + ahead
        return self._words[place] if place < len(self._words) else ""

    def definition(self) -> DefinitionNode:
        """An operation or a fragment."""
        if self.word()[0] == '"':
            self._place += 1
        kind, name = self.word(), self.word(1)
        if kind not in _OPERATIONS and kind != "fragment":
            raise _Unreadable
        head = self._head()
        directives = _DIRECTIVE * head.count("@")
        selected = self._selected()
        if kind == "fragment":
            return FragmentDefinitionNode(
                name=NameNode(value=name), type_condition=_TYPE, directives=directives, selection_set=selected
            )
        # Only in a definition does a colon follow the variable's name.
        variables = sum(mark == "$" and colon == ":" for mark, colon in zip(head, head[2:], strict=False))
        return OperationDefinitionNode(
            operation=OperationType.QUERY,  # whatever it is
            variable_definitions=_VARIABLE * variables,
            directives=directives,
            selection_set=selected,
        )

    def _head(self) -> list[str]:
        """The words of a definition before its selections."""
        begin, parentheses = self._place, 0
        while (word := self.word()) and (parentheses or word != "{"):
            parentheses += (word == "(") - (word == ")")
            self._place += 1
        return self._words[begin : self._place]

    def _selected(self) -> SelectionSetNode:
        """From one brace to the one that closes it, without recursion: documents may nest deeper than the stack."""
        if self.word() != "{":
            raise _Unreadable
        heads: list[_Head] = []
        sets: list[list[SelectionNode]] = []
        while True:
            word = self.word()
            self._place += 1
            if word == "{":
                sets.append([])
            elif word == "}":
                selected = SelectionSetNode(selections=tuple(sets.pop()))
                if not sets:
                    return selected
                sets[-1].append(heads.pop()(selection_set=selected))
            else:
                head = self._spread() if word == "..." else self._field(word)
                if self.word() == "{" and head.func is not FragmentSpreadNode:
                    heads.append(head)
                else:
                    sets[-1].append(head())
            # Only what has selections may be followed by a brace.
            if self.word() == "{" and len(heads) != len(sets):
                raise _Unreadable

    def _field(self, name: str) -> _Head:
        alias = None
        if self.word() == ":":
            alias, name = NameNode(value=name), self.word(1)
            self._place += 2
        if not _is_name(name):
            raise _Unreadable
        self._arguments()
        return partial(FieldNode, name=NameNode(value=name), alias=alias, directives=self._directives())

    def _spread(self) -> _Head:
        word = self.word()
        if _is_name(word) and word != "on":
            self._place += 1
            return partial(FragmentSpreadNode, name=NameNode(value=word), directives=self._directives())
        if word == "on":
            self._place += 2
        directives = self._directives()
        if self.word() != "{":
            raise _Unreadable
        return partial(InlineFragmentNode, directives=directives)

    def _directives(self) -> tuple[DirectiveNode, ...]:
        count = 0
        while self.word() == "@":
            self._place += 2
            self._arguments()
            count += 1
        return _DIRECTIVE * count

    def _arguments(self) -> None:
        parentheses = 0
        while (word := self.word()) == "(" or (parentheses and word):
            parentheses += (word == "(") - (word == ")")
            self._place += 1


def _is_name(word: str) -> bool:
    return word[:1].isalpha() or word[:1] == "_"
