"""What is counted in a document's text is what is counted in the parsed document, and is counted in one pass."""

from __future__ import annotations

from dataclasses import replace

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLSyntaxError, OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from schema.limits import Limits, Size, excess, size_of
from schema.scan import flood, outline, words
from tests.client import BY_NAME, OPERATIONS
from tests.schema.test_limits import FOLDS, PLACES, bomb

MANY = 100_000
ROOMY = Limits(length=MANY, tokens=MANY)

REAL = (
    *BY_NAME.values(),
    OPERATIONS,
    *(bomb(fold) for fold in FOLDS.values()),
    *(bomb(FOLDS["spreads"], kind) for kind in PLACES),
)
STRANGE = (
    '"Told" query a($b: C = {d: [{}]} @e, "what" $f: G! = "{") @h(i: "}") { a: j(k: {l: "m { n"}) @o { p } ...q @r }',
    "fragment q on S @t { u ...on V { w } ... @include(if: true) { x } ...{y} on: on on { type } z... on A{b} }",
    '{ a(b: """ { "" \\""" } """) # { c: d }\n e(f: "\\"{") g(h: -1.5e9, i: [$j, $k]) query: mutation fragment }',
    "{ __schema { a { b { c } } } d { e: __typename } } query { f { ...g } } fragment g on H { ...g i { ...g } }",
    "{ ...a ...a } fragment a on B { c } fragment a on B { d: e { f } } fragment g on H { i @j { k } }",
    "{}",
    "{ a {} }",
)
WORDS = (
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "...",
        "...on",
        "@",
        "$",
        "=",
        "!",
        "on",
        "query",
        "fragment",
        "a",
        "B",
        "{ a }",
    ),
    *("fragment B on a {", "...B", "@a(b: {c: 1})", "$a: B", "# {\n", '"{"', '"""}"""', "1", "a: b", "{ a {", "... {"),
)


def read(text: str) -> DocumentNode | None:
    try:
        return parse(text)
    except GraphQLSyntaxError:
        return None


def told(text: str) -> DocumentNode:
    return outline([word for word in words(text, MANY) if word[0] != "#"])


def counts(document: DocumentNode) -> list[tuple[str, int, Size]]:
    found = []
    for part in document.definitions:
        assert isinstance(part, OperationDefinitionNode | FragmentDefinitionNode)
        kind = "fragment" if isinstance(part, FragmentDefinitionNode) else "operation"
        variables = part.variable_definitions or () if kind == "operation" else ()
        # Directives of variables are counted with those of the operation.
        found.append((kind, len(variables), size_of(document, part)))
    return found


def check(text: str) -> None:
    document = read(text)
    if document is None or not all(
        isinstance(part, OperationDefinitionNode | FragmentDefinitionNode) for part in document.definitions
    ):
        return
    assert counts(told(text)) == counts(document), text
    for limits in (ROOMY, replace(ROOMY, depth=1, aliases=0, fields=2, directives=0, variables=0, operations=1)):
        met, meant = flood(text, limits), excess(document, limits)
        assert (met and met.message) == (meant and meant.message), text


def test_documents_are_measured_alike_before_and_after_they_are_parsed() -> None:
    for text in (*REAL, *STRANGE):
        assert read(text) is not None, text
        check(text)


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join) | st.lists(st.sampled_from(STRANGE)).map(" ".join))
def test_whatever_the_words(text: str) -> None:
    check(text)
    check(f"{{ {text} }}")


def test_a_text_without_an_end_is_one_word() -> None:
    # Else each of its quotes would begin another one, up to the end: this took eight seconds.
    for begin, inner in (('"', '\\"'), ('"""', '\\"""'), ('"""', '\n\\"""'), ('"', "\\\\"), ("#", "{"), ('"""', "\\")):
        assert len(words(begin + inner * 8000, MANY)) == 1, (begin, inner)


def test_no_more_words_are_read_than_are_allowed() -> None:
    assert len(words("{ " * 5000, 7)) == 7
