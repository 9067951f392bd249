"""Which sales documents emails of each kind can be about."""

from __future__ import annotations

from collections.abc import Mapping

from models.communication_kind import CommunicationKind
from models.sales_document import SalesDocumentKind

_K = CommunicationKind
_QUOTED = frozenset({SalesDocumentKind.QUOTE, SalesDocumentKind.ORDER})
_INVOICED = frozenset({SalesDocumentKind.INVOICE})

# A statement is about the customer as a whole; work can be about any document.
DOCUMENTS: Mapping[CommunicationKind, frozenset[SalesDocumentKind]] = {
    _K.INVOICE: _INVOICED,
    _K.CREDIT_NOTE: _INVOICED,
    _K.REMINDER: _INVOICED,
    _K.WORKFLOW_REMINDER: _INVOICED,
    _K.ESTIMATE: _QUOTED,
    _K.STATEMENT: frozenset(),
    _K.TICKET: _QUOTED | _INVOICED,
    _K.PROJECT: _QUOTED | _INVOICED,
    _K.CONTRACT: _QUOTED | _INVOICED,
    _K.TASK: _QUOTED | _INVOICED,
    _K.WELCOME: frozenset(),
    _K.SET_PASSWORD: frozenset(),
}
