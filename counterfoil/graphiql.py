"""GraphiQL as a browser gets it: the page at /graphql, and the files that it loads from this origin.

They are built from web/ by scripts/web; what is not built yet says so.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from counterfoil.door.media import listed, takes_gzip

BUILT = Path(__file__).resolve().parents[1] / ".web" / "dist"
ROUTE = "/assets/{name}"

# Scripts, workers, connections (also WebSockets, Content Security Policy Level 3, 6.7.2.8) come from here, and nothing
# is evaluated. Monaco writes its colours into <style> and positions into style="…": styles cannot be held as tightly,
# but with nowhere to send anything they have nothing to tell. data: is for its icons.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline';"
    " font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Not guessed: with nosniff a type that a machine's own list has wrong would stop the page.
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
_NAME = re.compile(r"[\w-][\w.-]{0,100}\.(?:css|js|svg|ttf)", re.ASCII)
# Their names change with what is in them.
_FOR_EVER = "public, max-age=31536000, immutable"

_MISSING = """<!doctype html>
<html lang="en">
<title>Counterfoil</title>
<h1>GraphiQL is not built</h1>
<p>The API is here and answers: send it GraphQL by POST. For this page run <code>scripts/web</code>, which
reaches for PyPI and the npm registry once, then load it again.</p>
</html>
"""


class GraphiQL:
    """The page and its files, as they are built now: another build needs no other process."""

    def __init__(self, built: Path = BUILT) -> None:
        self._page = built / "index.html"
        self._assets = built / "assets"

    def page(self) -> Response:
        """The page; 503 with what to do when it is not built."""
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
        if not self._page.is_file():
            return HTMLResponse(_MISSING, 503, headers)
        return HTMLResponse(self._page.read_bytes(), headers=headers)

    async def asset(self, request: Request) -> Response:
        """One of the files that the page loads; packed for those who take it so."""
        name = request.path_params["name"]
        path = self._assets / name if _NAME.fullmatch(name) else None
        if path is None or not path.is_file():
            return PlainTextResponse("There is nothing at this address.\n", 404)
        media_type = _TYPES[path.suffix]
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        packed = path.with_name(f"{name}.gz")
        if takes_gzip(listed(request.headers, "accept-encoding")) and packed.is_file():
            path = packed
            headers["Content-Encoding"] = "gzip"
        return FileResponse(path, headers=headers, media_type=media_type)
