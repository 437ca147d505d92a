"""Logs and trace context. A line holds codes, ids and numbers: no body, no query, no header, no personal data."""

import logging
import secrets
import sys
from contextvars import ContextVar
from typing import IO

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def traceparent() -> str | None:
    """The W3C trace context of what is being done now, or None."""
    return _traceparent.get()


def begin_trace(incoming: str | None) -> str:
    """Go on with the caller's trace (W3C Trace Context), or begin one where there is none that can be read."""
    parts = (incoming or "").split("-")
    readable = (
        len(parts) >= 4
        and [len(p) for p in parts[:4]] == [2, 32, 16, 2]
        and all(character in "0123456789abcdef" for part in parts[:4] for character in part)
    )
    trace_id = parts[1] if readable and parts[1] != "0" * 32 else secrets.token_hex(16)
    current = f"00-{trace_id}-{secrets.token_hex(8)}-01"
    _traceparent.set(current)
    return current


def go_on(current: str) -> None:
    """What is done now is this span of this trace."""
    _traceparent.set(current)


class _WithContext(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        current = _traceparent.get()
        record.trace_id = current.split("-")[1] if current else None
        return True


def log_as_json(level: int = logging.INFO, stream: IO[str] | None = None) -> None:
    """One JSON object a line, with request and trace ids, on standard error or `stream`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}{request_id}{trace_id}",
            style="{",
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
        )
    )
    handler.addFilter(_WithContext())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at a revision
    logging.getLogger("uvicorn.access").disabled = True  # it would log query strings
