"""The three kinds of field, and no fourth.

*Plain*: a column of the row (an annotation and `field`). *Derived*: a pure function of the row. *Batched*: a key of the
row and a loader that gets the keys of all parents at once. Derived and batched fields are declarations in the field's
metadata: `wire` makes resolvers of them, and whatever executes queries otherwise can read them as well.
Every object's source is a row: a mapping of column names, or a small mapping made for the purpose.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, get_nullable_type, is_leaf_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

from models import Audited, Row
from models.rows import by_ids
from schema.access import Access
from schema.context import Context
from schema.execution import LEAVES, Leaf

KIND = "counterfoil.kind"
# Metadata of a field that returns as many objects as a list in its arguments has items: the way to that list.
SIZED_BY = "counterfoil.sized_by"
# Metadata of a list without pages: how many objects it has at most.
AT_MOST = "counterfoil.at_most"
# Metadata of such a list that reads no rows for its objects, although it is no derived field of a row.
VALUES = "counterfoil.values"
REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Derived:
    """A pure function of the row."""

    value: Callable[[Row], Any]


@dataclass(frozen=True)
class Batched:
    """`key` takes a key from the row (None: the field is null); `load` turns keys into values, in their order.

    `then` makes the field's value of row, loaded value and context, without reading anything.
    """

    key: Callable[[Row], Any]
    load: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
    then: Callable[[Row, Any, Context], Any] | None = None


def plain(description: str, *, access: Access | None = None, name: str | None = None) -> Any:
    """A column of the row."""
    return strawberry.field(description=description, name=name, directives=[access] if access else [])


def derived(
    value: Callable[[Row], Any],
    description: str,
    *,
    access: Access | None = None,
    name: str | None = None,
    at_most: int | None = None,
) -> Any:
    """A pure function of the row; `at_most` so many objects, when it is a list."""
    return _declared(Derived(value), description, access, name, {AT_MOST: at_most} if at_most else {})


def batched(
    key: Callable[[Row], Any],
    load: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]],
    description: str,
    *,
    then: Callable[[Row, Any, Context], Any] | None = None,
    access: Access | None = None,
    at_most: int | None = None,
    values: bool = False,
) -> Any:
    """What a loader has for the row's key, or what `then` makes of it; `at_most` so many objects, when it is a list.

    `values`: they are parts of the row, or one row has them for all, so that they cost no rows of their own.
    """
    further = {**({AT_MOST: at_most} if at_most else {}), **({VALUES: True} if values else {})}
    return _declared(Batched(key, load, then), description, access, None, further)


def referred(
    column: str,
    table: type[Audited],
    description: str,
    *,
    then: Callable[[Row, Any, Context], Any] | None = None,
    access: Access | None = None,
) -> Any:
    """The row that a foreign key column points to, or what `then` makes of it."""
    return batched(lambda row: row[column], by_ids(table), description, then=then, access=access)


def _declared(
    kind: Derived | Batched,
    description: str,
    access: Access | None,
    name: str | None,
    further: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    return strawberry.field(
        description=description, name=name, directives=[access] if access else [], metadata={KIND: kind, **further}
    )


def required(description: str) -> Any:
    """An input field that must be sent."""
    return strawberry.field(description=description)


def optional(description: str, *, name: str | None = None) -> Any:
    """An input field that may be omitted."""
    return strawberry.field(default=strawberry.UNSET, description=description, name=name)


def given(value: object) -> dict[str, Any]:
    """The fields of an input that were sent, nested inputs included: what was omitted is absent, null is None."""
    return {
        name: _plain(item)
        for name, item in vars(value).items()
        if item is not strawberry.UNSET and not name.startswith("_")
    }


def _plain(item: Any) -> Any:
    if isinstance(item, list):
        return [_plain(element) for element in item]
    return given(item) if is_dataclass(item) else item


def wire(schema: GraphQLSchema) -> None:
    """Give plain, derived and batched fields resolvers of their own, without the steps that they do not need."""
    for graphql_type in schema.type_map.values():
        if not isinstance(graphql_type, GraphQLObjectType) or graphql_type.name.startswith("__"):
            continue
        # Rows carry no class; what an interface returns is told by its identifier (schema.node).
        graphql_type.is_type_of = None
        leaves: dict[str, Leaf] = {}
        graphql_type.extensions[LEAVES] = leaves
        for name, graphql_field in graphql_type.fields.items():
            kind = kind_of(graphql_field)
            read: Callable[[Any], Any] | None = None
            if isinstance(kind, Derived):
                read = kind.value
                graphql_field.resolve = _resolve_derived(kind)
            elif isinstance(kind, Batched):
                graphql_field.resolve = _resolve_batched(kind)
            elif (declared := _declaration(graphql_field)) is not None and declared.is_basic_field:
                read = itemgetter(declared.python_name)
                graphql_field.resolve = _resolve_plain(declared.python_name)
            inner = get_nullable_type(graphql_field.type)
            if read is not None and is_leaf_type(inner):
                leaves[name] = Leaf(read, inner.coerce_output_value, inner is graphql_field.type)


def kind_of(graphql_field: GraphQLField) -> Derived | Batched | None:
    """How a field is declared; None for a plain one, and for one with a resolver of its own."""
    declared = _declaration(graphql_field)
    return declared.metadata.get(KIND) if declared is not None else None


def _declaration(graphql_field: GraphQLField) -> Any:
    return graphql_field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def _resolve_plain(name: str) -> Callable[..., Any]:
    def resolve(row: Mapping[str, Any], _info: GraphQLResolveInfo[Any]) -> Any:
        return row[name]

    return resolve


def _resolve_derived(kind: Derived) -> Callable[..., Any]:
    value = kind.value

    def resolve(row: Row, _info: GraphQLResolveInfo[Any]) -> Any:
        return value(row)

    return resolve


def _resolve_batched(kind: Batched) -> Callable[..., Any]:
    key_of, load, then = kind.key, kind.load, kind.then

    def resolve(row: Row, info: GraphQLResolveInfo[Any]) -> Any:
        key = key_of(row)
        if key is None:
            return None
        context = info.context
        loaded = context.loaders.loaded(load, key)
        if loaded is not None:
            return loaded.result() if then is None else then(row, loaded.result(), context)
        loading = context.loaders.load(load, load, key)
        return loading if then is None else _then(then, row, loading, context)

    return resolve


async def _then(then: Callable[[Row, Any, Context], Any], row: Row, loading: Awaitable[Any], context: Context) -> Any:
    return then(row, await loading, context)


def with_signature(resolver: Callable[..., Any], parameters: Mapping[str, tuple[Any, Any]]) -> Callable[..., Any]:
    """The resolver with arguments as Strawberry reads them: name → (annotation, default)."""
    kinds = inspect.Parameter
    resolver.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            kinds("root", kinds.POSITIONAL_OR_KEYWORD, annotation=Any),
            kinds("info", kinds.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info),
            *(
                kinds(name, kinds.KEYWORD_ONLY, annotation=annotation, default=default)
                for name, (annotation, default) in parameters.items()
            ),
        ]
    )
    return resolver
