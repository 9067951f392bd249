"""The GraphQL schema, put together."""

from __future__ import annotations

import strawberry
from strawberry.schema.config import StrawberryConfig

from counterfoil.door.admission import Admission
from counterfoil.door.documents import Documents
from resolvers.root import Mutation, Query, Subscription
from schema.execution import RowExecution
from schema.field import wire
from schema.introspection import mend
from schema.limits import Limits
from schema.scalars import SCALARS


def build_schema(
    schema_class: type[strawberry.Schema] = strawberry.Schema,
    documents: Documents | None = None,
    *,
    introspection: bool = True,
) -> strawberry.Schema:
    """The executable schema. Without `introspection` nothing tells what it has, suggestions in errors included."""
    known = documents or Documents(Limits(), introspection=introspection)
    schema = schema_class(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=RowExecution,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not introspection),
        extensions=[lambda: Admission(known)],
    )
    wire(schema._schema)
    mend(schema._schema)
    return schema


def sdl() -> str:
    """The schema in the schema definition language, as it is committed in schema/schema.graphql."""
    return build_schema().as_str() + "\n"
