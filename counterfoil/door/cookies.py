"""The session in a browser's cookie, for front ends on this site, and the requests for which it counts.

docs/decisions/0026 says why. The rules are those of OWASP's cheat sheets on session management and on cross-site
request forgery: a header that no form can send, then Fetch Metadata, and Origin where a browser sends none.
"""

from __future__ import annotations

from collections.abc import Collection

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from counterfoil.door.origin import is_allowed
from counterfoil.door.refusing import Refused
from counterfoil.door.uploads import HEADERS as UPLOAD_HEADERS
from counterfoil.door.viewer import bearer_of

_log = structlog.get_logger("counterfoil.cookies")

# With any value: a script has sent the request, and for one of another origin the browser has asked us first.
CSRF_HEADER = "Counterfoil-Csrf"
_PROOFS = (CSRF_HEADER, *UPLOAD_HEADERS)

# RFC 9110, 9.2.1: no mutation comes by these.
_SAFE = ("GET", "HEAD")
_OURS = "same-origin"

# Says where signIn puts the session's token; without it, into its answer.
SESSION_HEADER = "Counterfoil-Session"
_IN_COOKIE = "cookie"


class Cookies:
    """The cookie. `origins` are those listed for CORS; `https` says that browsers come by https only."""

    def __init__(self, origins: Collection[str], *, https: bool) -> None:
        self._origins = origins
        self._https = https
        # RFC 6265bis, 4.1.3.2: with this prefix no other host, and nobody without TLS, can have set it.
        self.name = "__Host-counterfoil" if https else "counterfoil"

    def held(self, connection: HTTPConnection) -> str | None:
        """The token in the browser's cookie, whether it counts or not: what a new one replaces."""
        return connection.cookies.get(self.name)

    def token_of(self, connection: HTTPConnection) -> str | None:
        """The session's token, where it counts: Refused for a request that could be forged. A bearer token goes first.

        A WebSocket's handshake can have no header of ours: there Origin decides alone, which scripts cannot set either.
        """
        token = self.held(connection)
        if not token or bearer_of(connection.headers) is not None:
            return None
        if connection.scope["type"] == "http" and not _is_proven(connection):
            raise Refused(403, f"With a session in a cookie, send the header {CSRF_HEADER}, with any value.", "CSRF")
        self._refuse_other_sites(connection.headers)
        return token

    def is_wanted(self, headers: Headers) -> bool:
        """Whether the sender asks signIn for a cookie. Refused where the browser would not keep it, or on nonsense."""
        wanted = headers.get(SESSION_HEADER)
        if wanted is None:
            return False
        if wanted != _IN_COOKIE:
            raise Refused(400, f"{SESSION_HEADER} can be `{_IN_COOKIE}`, nothing else.")
        self._refuse_other_sites(headers)
        if not self._https and headers.get("origin", "").startswith("https:"):
            _log.warning("a cookie without Secure: set COUNTERFOIL_HTTPS=true where browsers come by https")
        return True

    def keep(self, response: Response, token: str | None) -> None:
        """Have the browser keep `token` until it is closed, or forget what it has ("") as the session has ended.

        The server alone says when a session ends; a cookie with a date would only outlive it.
        """
        if token is None:
            return
        response.set_cookie(
            self.name,
            token,
            max_age=None if token else 0,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="strict",
        )

    def _refuse_other_sites(self, headers: Headers) -> None:
        if not self._is_same_site(headers):
            raise Refused(403, "A session in a cookie does not count for pages of other sites.", "CSRF")

    def _is_same_site(self, headers: Headers) -> bool:
        # https://www.w3.org/TR/fetch-metadata/: browsers send it where a page is trustworthy, and no script can set it.
        site = headers.get("sec-fetch-site")
        if site is None:
            return is_allowed(headers, ())
        return site == _OURS or (site == "same-site" and headers.get("origin") in self._origins)


def _is_proven(connection: HTTPConnection) -> bool:
    # An EventSource has no headers of ours; what reads only is safe where the browser itself says that we ask.
    reads = connection.scope["method"] in _SAFE and connection.headers.get("sec-fetch-site") == _OURS
    return reads or any(name in connection.headers for name in _PROOFS)
