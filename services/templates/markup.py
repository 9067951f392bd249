"""HTML of emails: what may stand in it, and the sanitiser that lets nothing else through.

No images and no other addresses that a mail program would load: opening an email tells nobody. No forms, no scripts, no
style sheets: mail programs ignore or distrust them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import nh3

VOID = frozenset({"br", "hr"})
_BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "blockquote", "pre", "hr", "ul", "ol", "li", "dl", "dt", "dd"}
INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup", "u", "br"})
_TABLE = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
# What only inline elements may stand in.
PHRASING = INLINE | {"p", "h1", "h2", "h3", "h4", "pre", "dt", "caption"}
TAGS = frozenset(_BLOCKS | INLINE | _TABLE)

_EVERYWHERE = frozenset({"style", "lang", "dir", "title"})
_CELL = frozenset({"colspan", "rowspan", "align", "valign", "width"})
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(TAGS, _EVERYWHERE),
    "a": _EVERYWHERE | {"href"},
    "td": _EVERYWHERE | _CELL,
    "th": _EVERYWHERE | _CELL | {"scope"},
    "table": _EVERYWHERE | {"role", "width", "align", "border", "cellpadding", "cellspacing"},
    "ol": _EVERYWHERE | {"start"},
}

_SIDES = ("top", "right", "bottom", "left")
STYLES = frozenset(
    {
        *("color", "background-color", "direction", "line-height", "letter-spacing", "white-space", "word-break"),
        *("font-family", "font-size", "font-style", "font-weight", "font-variant-numeric"),
        *("text-align", "text-decoration", "text-transform", "vertical-align"),
        *("width", "max-width", "min-width", "height", "display"),
        *("border", "border-collapse", "border-spacing", "border-color", "border-style", "border-width"),
        *("border-radius", "margin", "padding"),
        *(f"{name}-{side}" for name in ("border", "margin", "padding") for side in _SIDES),
    }
)
SCHEMES = frozenset({"http", "https", "mailto"})

# What loads something or runs, or hides that it does.
ODD_STYLE = re.compile(r"[\\@]|/\*|url\s*\(|expression|javascript", re.IGNORECASE)


def _attribute(_tag: str, name: str, value: str) -> str | None:
    return None if name == "style" and ODD_STYLE.search(value) else value


_cleaner = nh3.Cleaner(
    tags=set(TAGS),
    attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
    attribute_filter=_attribute,
    filter_style_properties=set(STYLES),
    url_schemes=set(SCHEMES),
    url_relative="deny",
    link_rel=None,
)


def sanitized(html: str) -> str:
    """The HTML without anything else than what may stand in an email; what was left open is closed."""
    return _cleaner.clean(html)
