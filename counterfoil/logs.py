"""Logs: one JSON object a line on stderr, without personal data; on a terminal readable lines, with tracebacks.

Code logs through structlog: fixed words as the event, identifiers and numbers as fields. What other libraries log
through the standard library takes the same way. Of an exception, JSON holds only what cannot quote a value.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

# Their messages come from the interpreter, the system or us and name code, types and files; others quote values.
_TELLING = (AttributeError, ImportError, NameError, OSError, RuntimeError, TypeError)
_FRAMES = 40


class _NamedLogger(structlog.PrintLogger):
    """Writes lines to stderr; the name is a field of each."""

    def __init__(self, name: str = "counterfoil") -> None:
        super().__init__(sys.stderr)
        self.name = name


def configure(level: str = "info", *, readable: bool | None = None) -> None:
    """Send all logs of this process to stderr. `readable`: for people; by default when stderr is a terminal."""
    readable = sys.stderr.isatty() if readable is None else readable
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    render = _renderers(readable)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_NamedLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _first_line],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.INFO))
    # `counterfoil.http` says the same, with the request's id.
    logging.getLogger("uvicorn.access").disabled = True


def _renderers(readable: bool) -> list[Processor]:
    if readable:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [_tell_exception, structlog.processors.JSONRenderer(serializer=_json)]


def _json(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _first_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # asyncio adds the repr of futures, with their exceptions, in further lines.
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _tell_exception(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """An exception without any value that it may quote: type, database's error code, message if harmless, stack."""
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    if code:
        told["code"] = str(code)
    if isinstance(error, _TELLING):
        told["message"] = str(error)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = describe(cause)
    return told
