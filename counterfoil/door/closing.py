"""Why a socket is closed, and with which code."""

from __future__ import annotations

from enum import IntEnum
from typing import cast


class Code(IntEnum):
    """Why a socket is closed: two of IANA's registry, those of the protocol, and from 4470 on our own."""

    RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429
    INTERNAL_ERROR = 4500
    TOO_SLOW = 4470
    IDLE = 4471
    TOO_MANY_SOCKETS = 4472


class Closing(Exception):
    """The socket is to be closed with this code and reason."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # RFC 6455, 5.5: at most 125 bytes, two of which are the code.
        self.reason = reason.encode("utf-8", "replace")[:123].decode(errors="ignore")


class Gone(Exception):
    """The client has closed the socket, or the connection broke."""


def why(raised: ExceptionGroup[Exception]) -> Closing | None:
    """Why the socket is to be closed; None when the client is gone.

    The frames that it came through are let go: they and it would keep each other, with all of the socket, until the
    garbage collector comes.
    """
    gone, closings = raised.subgroup(Gone), raised.subgroup(Closing)
    raised.__traceback__ = None
    if closings is None or gone is not None:
        return None
    closing = cast(Closing, closings.exceptions[0]).with_traceback(None)
    closing.__context__ = None
    return closing
