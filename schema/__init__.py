"""The GraphQL contract: types, inputs, payloads, connections, errors, and the context of a request."""

from __future__ import annotations

# Enums are registered before any type names them: Strawberry would make definitions of its own.
import schema.enums
