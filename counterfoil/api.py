"""The GraphQL schema, put together."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import ASTValidationRule, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig

from counterfoil.door.documents import KnownDocuments, KnownValidations
from resolvers.root import Mutation, Query, Subscription
from schema.execution import RowExecution
from schema.field import wire
from schema.limits import SizeRule, TextRule
from schema.scalars import SCALARS

MAX_TOKENS = 2000


def build_schema(
    schema_class: type[strawberry.Schema] = strawberry.Schema, *extensions: Any, introspection: bool = True
) -> strawberry.Schema:
    """The executable schema. Without `introspection` nothing tells what it has, suggestions in errors included."""
    rules: list[type[ASTValidationRule]] = [SizeRule, TextRule]
    if not introspection:
        rules.append(NoSchemaIntrospectionCustomRule)
    schema = schema_class(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=RowExecution,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not introspection),
        extensions=[
            lambda: MaxTokensLimiter(MAX_TOKENS),
            KnownDocuments,
            lambda: AddValidationRules(rules),
            KnownValidations,
            *extensions,
        ],
    )
    wire(schema._schema)
    return schema


def sdl() -> str:
    """The schema in the schema definition language, as it is committed in schema/schema.graphql."""
    return build_schema().as_str() + "\n"
