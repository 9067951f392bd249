"""The language of templates: what Jinja leaves of itself in a sandbox without functions."""

from __future__ import annotations

from functools import lru_cache

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.templates.values import FILTERS, TESTS, shown, shown_in_html

# So many compiled sources are kept.
_KEPT = 200


def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        finalize=shown_in_html if html else shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals = {}
    environment.filters = dict(FILTERS)
    environment.tests = dict(TESTS)
    return environment


PLAIN = _environment(html=False)
HTML = _environment(html=True)


@lru_cache(maxsize=_KEPT)
def compiled(source: str, *, html: bool = False) -> jinja2.Template:
    """The source, ready to be rendered; its values are escaped for HTML only. It has been checked before."""
    return (HTML if html else PLAIN).from_string(source)
