"""Templates: what emails say, with what they can name, and how they become messages."""

from __future__ import annotations

from services.templates.finding import chosen, standard
from services.templates.rendering import problem_of, render
from services.templates.variables import variables

__all__ = ["chosen", "problem_of", "render", "standard", "variables"]
