"""Templates: what emails of a kind say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Boolean, Text

from models import text
from models.table import Audited, Row, SubjectType

TEMPLATE_LIMIT = 100


class Template(Audited, tablename="template"):
    """The sources, in Jinja, of the subject, the plain text and the HTML of emails of a kind.

    Exactly one of each kind is its `standard`: it is used where no other is named, and stays.
    """

    prefix = "tpl"
    subject = SubjectType.TEMPLATE
    derived = frozenset({"name_key"})
    long = frozenset({"text_source", "html_source"})
    taken = {"name_key": ("name", "Another template of this kind has this name.")}
    texts = {"kind": lambda value: str(value).replace("_", " ").lower()}

    kind = Text()
    name = Text()
    name_key = Text()
    standard = Boolean()
    enabled = Boolean()
    subject_source = Text()
    text_source = Text()
    html_source = Text(null=True)

    @staticmethod
    def derive(row: Mapping[str, Any]) -> Row:
        """The key that makes the name unique among the templates of a kind."""
        return {"name_key": text.key(row["name"])}
