"""Media types and codings as RFC 9110 has them: parameters, qualities, wildcards, and what is malformed."""

from __future__ import annotations

from counterfoil.door.media import GRAPHQL, HTML, JSON, content_type, is_utf_8, preferred, takes_gzip

OFFERED = (GRAPHQL, JSON)

ACCEPTED: dict[str | None, str | None] = {
    None: GRAPHQL,
    "": GRAPHQL,
    " ": GRAPHQL,
    ", ": GRAPHQL,
    "*/*": GRAPHQL,
    "application/*": GRAPHQL,
    JSON: JSON,
    GRAPHQL: GRAPHQL,
    "APPLICATION/JSON": JSON,
    f"{GRAPHQL}, {JSON};q=0.9": GRAPHQL,
    f"{JSON};q=0.9, {GRAPHQL};q=0.8": JSON,
    f"{JSON}, {GRAPHQL}": GRAPHQL,
    # Who names a type likes it more than what a wildcard lets through.
    "application/json, text/plain, */*": JSON,
    "text/html, application/json;q=0.5, */*;q=0.8": GRAPHQL,
    # The most specific range counts (RFC 9110, 12.5.1).
    f"*/*, {GRAPHQL};q=0": JSON,
    f"{JSON};q=0, */*;q=0.1": GRAPHQL,
    "application/*;q=0, application/json": JSON,
    f"{GRAPHQL};charset=utf-8": GRAPHQL,
    f'{GRAPHQL}; charset="UTF-8", {JSON}': GRAPHQL,
    f"{GRAPHQL}; charset=utf-16, {JSON}": JSON,
    "application/json;indent=4": JSON,
    "application/json ; q=1.000": JSON,
    "text/plain": None,
    "text/*, image/png": None,
    "application/jsonx": None,
    "xapplication/json": None,
    "json": None,
    "*": None,
    "*/*;q=0": None,
    "*/*;q=0.0000": None,
    "application/json;q=2": None,
    "application/json;q=x": None,
    "application/json; charset=latin-1": None,
    "\xff/\xff, ;;;, ,": None,
}


def test_the_type_that_is_liked_most_is_taken() -> None:
    for header, expected in ACCEPTED.items():
        assert preferred(header, OFFERED) == expected, header
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert preferred(browser, (*OFFERED, HTML)) == HTML
    assert preferred(browser, OFFERED) == GRAPHQL


def test_a_content_type_has_parameters() -> None:
    assert content_type("application/json") == (JSON, None)
    assert content_type("Application/JSON ; charset=UTF-8") == (JSON, "utf-8")
    assert content_type('application/json; charset="utf-8"') == (JSON, "utf-8")
    assert content_type(None)[0] == ""
    assert content_type("application/jsonp")[0] != JSON
    assert [is_utf_8(charset) for charset in (None, "utf-8", "utf8", "utf-16", "latin-1", "")] == [True] * 3 + [
        False
    ] * 3


def test_who_takes_gzip_says_so() -> None:
    taking = ("gzip", "deflate, gzip;q=0.5", "*", "x-gzip", "br, GZIP;q=0.001", "identity;q=0, *;q=0.5")
    assert [header for header in taking if not takes_gzip(header)] == []
    refusing = (None, "", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzipped", "gzip;q=9")
    assert [header for header in refusing if takes_gzip(header)] == []
