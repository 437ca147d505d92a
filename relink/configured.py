"""One service as the environment configures it, for commands that work on its database themselves."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from relink.services import SERVICES
from shared.http.auth import Trust
from shared.runtime import Runtime
from shared.service import Service
from shared.settings import BadSettings, Settings


def service_named(name: str) -> Service:
    """Ends the process with a sentence when there is none."""
    services = {service.name: service for service in SERVICES}
    if name not in services:
        sys.exit(f"There is no such service; there are {', '.join(services)}")
    return services[name]


@asynccontextmanager
async def configured(service: Service) -> AsyncIterator[Runtime]:
    """The service's runtime, closed at the end; a configuration that it cannot run with ends the process."""
    try:
        settings = Settings.read(service.name)
    except BadSettings as error:
        sys.exit(str(error))
    service.require(settings)
    runtime = service.runtime(settings, Trust(settings.origin, []))
    try:
        yield runtime
    finally:
        await runtime.close()
