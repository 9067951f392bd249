"""POST /mail/events/{provider}: what providers of mail say became of emails. Off unless the settings name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import structlog
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from audit import Request
from counterfoil.door.address import Network
from counterfoil.door.requests import client_address, request_id
from models import Busy
from services.communications.reports import take_in
from services.communications.reports.provider import Forged, Provider, Unreachable, Unreadable, Unsigned

ROUTE = "/mail/events/{provider}"

_log = structlog.get_logger("counterfoil.mail_events")

_REFUSALS = {Unsigned: 401, Forged: 403, Unreadable: 400, Unreachable: 503, Busy: 503}


class MailEvents:
    """The endpoint. `providers` are those that the settings name, by their part of the address."""

    def __init__(self, providers: Mapping[str, Provider], trusted_proxies: Collection[Network]) -> None:
        self._providers = providers
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: HTTPRequest) -> Response:
        """Take in the reports of one request. A repeat is answered like the first time, and changes nothing."""
        name = request.path_params["provider"]
        provider = self._providers.get(name)
        if provider is None:
            return PlainTextResponse("There is nothing at this address.\n", 404)
        sent = Request(request_id(request.scope), client_address(request, self._trusted_proxies))
        try:
            reports = await provider.read(request.headers, await request.body())
            tally = await take_in(provider.source, sent, reports)
        except (Unsigned, Forged, Unreadable, Unreachable, Busy) as refusal:
            return _refused(name, refusal)
        counts = {"taken": tally.taken, "repeated": tally.repeated, "unknown": tally.unknown}
        _log.info("mail events", provider=name, **counts)
        return JSONResponse(counts)


def _refused(name: str, refusal: Exception) -> Response:
    status = _REFUSALS[type(refusal)]
    _log.warning("mail events refused", provider=name, status=status, why=str(refusal))
    headers = {"WWW-Authenticate": f'Basic realm="{name}"'} if status == 401 else None
    return PlainTextResponse(f"{refusal}\n", status, headers)
