"""How every client of ours reaches the brokers: addresses, TLS, SASL; and how much of their talk is logged."""

import logging
import ssl
import time
from typing import Any

import aiokafka  # noqa: F401  # its loggers exist from here on

from shared.settings import Settings

REQUEST_MS = 10_000
"""How long one request may take; what must wait longer (a broker that is away) is tried again by whoever asked."""
REPEAT_SECONDS = 60.0


def options(settings: Settings) -> dict[str, Any]:
    """The arguments that producers, consumers and admin clients have in common."""
    security = settings.kafka_security
    chosen: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "client_id": f"relink-{settings.service}",
        "request_timeout_ms": REQUEST_MS,
        "security_protocol": security,
    }
    if security.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.kafka_ca)
        if settings.kafka_certificate is not None:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key)
        chosen["ssl_context"] = context
    if security.startswith("SASL"):
        chosen["sasl_mechanism"] = settings.kafka_sasl_mechanism
        chosen["sasl_plain_username"] = settings.kafka_username
        chosen["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return chosen


class _OnceAMinute(logging.Filter):
    """aiokafka tries ten times a second and tells of each: the same line of code may speak once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._spoke: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, place = time.monotonic(), (record.pathname, record.lineno)
        if now - self._spoke.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._spoke[place] = now
        return True


def calm_logs() -> None:
    """Warnings of aiokafka are heard, and none of them floods the log."""
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.startswith("aiokafka") and isinstance(logger, logging.Logger) and not logger.filters:
            logger.addFilter(_OnceAMinute())
