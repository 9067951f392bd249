"""What stands around every answer, the outermost first."""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from counterfoil.door.context import COST_HEADER, REASON_HEADER
from counterfoil.door.cookies import CSRF_HEADER, SESSION_HEADER
from counterfoil.door.guard import Guard
from counterfoil.door.headers import SecurityHeaders
from counterfoil.door.pace import Pace
from counterfoil.door.requests import HEADER, Requests
from counterfoil.door.uploads import HEADERS as UPLOAD_HEADERS
from counterfoil.settings import Settings

_ALLOWED = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    REASON_HEADER,
    COST_HEADER,
    CSRF_HEADER,
    SESSION_HEADER,
    HEADER,
    *UPLOAD_HEADERS,
)
_EXPOSED = (HEADER, "Content-Disposition", "Content-Range", "ETag", "Retry-After", "WWW-Authenticate")


def layers(settings: Settings, pace: Pace) -> list[Middleware]:
    """The layers of the application. CORS is around what refuses: a page may read why, not only that."""
    return [
        Middleware(SecurityHeaders, https=settings.https),
        Middleware(Requests),
        _cors(settings.cors_origins),
        Middleware(Guard, settings, pace),
    ]


def _cors(origins: Collection[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        # A cookie that is SameSite=Strict comes from pages of this site only, listed or not.
        allow_credentials=bool(origins),
        allow_methods=["GET", "POST"],
        allow_headers=[*_ALLOWED],
        expose_headers=[*_EXPOSED],
        max_age=600,
    )
