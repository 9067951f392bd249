"""Parsing documents that are kept: their nodes know where they stand, and hold on to no tokens."""

from __future__ import annotations

from graphql import DocumentNode, Source
from graphql.language import Location, Token
from graphql.language.parser import Parser, nested_too_deeply_error


class _Place(Location):
    """Where a node stands. A token would keep all others of the document, comments included."""

    __slots__ = ()

    def __init__(self, start: int, end: int, source: Source) -> None:
        # Not those of Location, which would set the tokens.
        self.start, self.end, self.source = start, end, source


class _Parser(Parser):
    def loc(self, start_token: Token) -> Location:
        return _Place(start_token.start, self._lexer.last_token.end, self._lexer.source)


def parse(text: str, most: int) -> DocumentNode:
    """The document, whose `token_count` says how many it has. GraphQLSyntaxError, also beyond `most` tokens."""
    parser = _Parser(text, max_tokens=most)
    try:
        return parser.parse_document()
    except RecursionError:
        raise nested_too_deeply_error(parser) from None
