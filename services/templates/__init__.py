"""Templates: what emails say, with what they can name, and how they become messages."""

from __future__ import annotations

from services.templates.finding import chosen, find, standard
from services.templates.rendering import problem_of, render, render_all
from services.templates.variables import variables

__all__ = ["chosen", "find", "problem_of", "render", "render_all", "standard", "variables"]
