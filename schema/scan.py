"""A first look at a document's text, without parsing it: floods are refused in about a millisecond.

What it counts is in no case more than `schema.limits` counts afterwards in the parsed document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from schema.limits import Limits, TooLarge, too_large

# The lexical tokens of the GraphQL specification, 2.1: block strings, strings, comments, names and numbers, the rest.
_WORD = re.compile(
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*+"""|"(?:[^"\\\n]|\\.)*+"|#[^\n\r]*+|[\w.+-]++|[^\s,\ufeff]', re.ASCII
)
_BEGINNINGS = (["query"], ["mutation"], ["subscription"], ["{"])
_NO_FIELD_AFTER = ("@", "on", "...", "...on")


def flood(text: str, limits: Limits) -> TooLarge | None:
    """What the text has far too much of, if anything."""
    if error := too_large("length", len(text), limits):
        return error
    # Comments count: the parser keeps them.
    words = _WORD.findall(text)
    if error := too_large("tokens", len(words), limits):
        return error
    definitions = list(_definitions([word for word in words if word[0] != "#"]))
    if error := too_large("operations", sum(part[:1] in _BEGINNINGS for part in definitions), limits):
        return error
    counts = (found for definition in definitions for found in _counts(definition))
    return next((error for name, found in counts if (error := too_large(name, found, limits))), None)


def _definitions(words: list[str]) -> Iterator[list[str]]:
    braces = start = 0
    for place, word in enumerate(words):
        if word == "{":
            braces += 1
        elif word == "}":
            braces -= 1
            if braces == 0:
                yield words[start : place + 1]
                start = place + 1
    yield words[start:]


def _counts(words: list[str]) -> Iterator[tuple[str, int]]:
    yield "directives", words.count("@")
    # Only in a definition does a colon follow the variable's name.
    yield "variables", sum(mark == "$" and colon == ":" for mark, colon in zip(words, words[2:], strict=False))
    selected = _outside_arguments(words)
    aliases = selected.count(":")
    yield "aliases", aliases
    yield (
        "fields",
        sum(_is_name(word) and before not in _NO_FIELD_AFTER for before, word in pairwise(selected)) - aliases,
    )


def _outside_arguments(words: list[str]) -> list[str]:
    """The words of the selections, from their first brace on."""
    found: list[str] = []
    parentheses = 0
    for word in words:
        if word == "(":
            parentheses += 1
        elif word == ")":
            parentheses -= 1
        elif parentheses == 0 and (found or word == "{"):
            found.append(word)
    return found


def _is_name(word: str) -> bool:
    return word[0].isalpha() or word[0] == "_"
