"""GET /pdf/{token}: the PDF of a sales document or a statement, for whoever asked for the address and may read it.

It is made when it is asked for, of what the rows say then, and nobody keeps it.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request as HTTPRequest
from starlette.responses import Response

from counterfoil.door.address import Network
from counterfoil.downloads import disposition
from counterfoil.granting import Turned, demand, granted, refusal
from models import Permission, clock, pdf_link
from models.pdf_link import PdfLink
from models.statement import Period, month_period
from services import pdf

ROUTE = pdf_link.PATH + "{token}"

# Seconds: a document is made in some tens of milliseconds.
RETRY_AFTER = "2"

_NEEDED = Permission.SALES_DOCUMENTS_READ


class PdfDownloads:
    """The endpoint."""

    def __init__(self, trusted_proxies: Collection[Network]) -> None:
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: HTTPRequest) -> Response:
        """Answer one request: 404 for an address that is not ours, 410 for one that is too old."""
        try:
            link, viewer = await granted(request, pdf_link.read)
            await demand(request, viewer, _NEEDED, self._trusted_proxies)
            response = await (_head(link) if request.method == "HEAD" else _whole(link))
        except Turned as turned:
            return turned.response()
        except pdf.TooManyWaiting as busy:
            return refusal(503, busy.message, Retry_After=RETRY_AFTER)
        return refusal(410, "What this was about has been deleted.") if response is None else response


async def _whole(link: PdfLink) -> Response | None:
    if link.month is None:
        file = await pdf.of_sales_document(link.subject_id)
    else:
        file = await pdf.of_statement(link.subject_id, _period(link.month))
    return None if file is None else Response(file.data, headers=_headers(file.name), media_type=pdf.MEDIA_TYPE)


async def _head(link: PdfLink) -> Response | None:
    """The headers without the file, and without making it: how long it would be nobody knows."""
    if link.month is None:
        name = await pdf.name_of_sales_document(link.subject_id)
    else:
        name = await pdf.name_of_statement(link.subject_id, _period(link.month))
    if name is None:
        return None
    response = Response(headers=_headers(name), media_type=pdf.MEDIA_TYPE)
    del response.headers["Content-Length"]
    return response


def _period(month: str) -> Period:
    return month_period(month, clock.now().date())


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
    }
