"""GET /pdf/{token}: the PDF of a sales document or a statement, for whoever asked for the address and may read it.

It is made when it is asked for, of what the rows say then, and nobody keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starlette.requests import Request as HTTPRequest
from starlette.responses import PlainTextResponse, Response

from audit import Request
from counterfoil.door.requests import client_address, request_id
from counterfoil.downloads import disposition
from models import Permission, clock, download, pdf_link, signing_key
from models.pdf_link import PdfLink
from models.statement import Period, month_period
from services import pdf
from services.throttling import record_refusal
from services.viewer import find_grantee

ROUTE = pdf_link.PATH + "{token}"

# Seconds: a document is made in some tens of milliseconds.
RETRY_AFTER = "2"

_NEEDED = Permission.SALES_DOCUMENTS_READ


class PdfDownloads:
    """The endpoint."""

    def __init__(self, trusted_proxies: Collection[str]) -> None:
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: HTTPRequest) -> Response:
        """Answer one request: 404 for an address that is not ours, 410 for one that is too old."""
        [secret] = await signing_key.by_names([signing_key.DOWNLOADS])
        try:
            link = pdf_link.read(request.path_params["token"], secret)
        except download.Expired:
            return _refusal(410, "This address is too old. Ask for a new one.")
        if link is None:
            return _refusal(404, "There is nothing at this address.")
        viewer = await find_grantee(link.grantee_id)
        if viewer is None:
            return _refusal(403, "Whoever asked for this address is not signed in any more. Ask for a new one.")
        if not viewer.may(_NEEDED):
            sent = Request(request_id(request.scope), client_address(request, self._trusted_proxies))
            await record_refusal(viewer, sent, f"Downloading needs the permission {_NEEDED.value}.")
            return _refusal(403, f"This needs the permission {_NEEDED.value}.")
        try:
            response = await (_head(link) if request.method == "HEAD" else _whole(link))
        except pdf.TooManyWaiting as busy:
            return _refusal(503, busy.message, {"Retry-After": RETRY_AFTER})
        return _refusal(410, "What this was about has been deleted.") if response is None else response


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


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(message + "\n", status, headers)
