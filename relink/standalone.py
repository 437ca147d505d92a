"""The gateway as a process of its own, in front of services that somebody else starts."""

import json
from contextlib import AsyncExitStack
from datetime import datetime
from urllib.parse import urlsplit

from relink import local_clock
from relink.demo_issuer import DemoIssuer
from relink.gateway import Gateway
from relink.local_mode import MoveClock, NotLoopback, local_mode
from relink.ports import bound
from relink.services import SERVICES
from relink.serving import NAMES, serving
from relink.upstream import behind
from shared.settings import Settings, is_loopback


class NotLocal(RuntimeError):
    """The environment is not one in which local mode can work; the text is for the person at the terminal."""


async def serve(host: str, port: int, origin: str, local: bool) -> None:
    """Until cancelled. Raises PortInUse, and with `local` NotLoopback or NotLocal."""
    if local and not is_loopback(host):
        raise NotLoopback(f"local mode is for loopback only, not for {host}")
    settings = {service.name: Settings.read(service.name) for service in SERVICES}
    addresses = {
        service.name: (own := settings[service.name]).url or f"http://127.0.0.1:{own.port or service.port}"
        for service in SERVICES
    }
    async with AsyncExitStack() as at_the_end:
        listener = at_the_end.enter_context(bound(host, port))
        applications = await at_the_end.enter_async_context(behind(addresses))
        if local:
            issuer = DemoIssuer(origin)
            move_clock = _share_trust_and_time(list(settings.values()), issuer)
            applications["dev"] = local_mode(host, issuer, move_clock)
        names = {*NAMES, urlsplit(origin).hostname or host}
        await (await at_the_end.enter_async_context(serving(Gateway(applications), listener, sorted(names))))


def _share_trust_and_time(settings: list[Settings], issuer: DemoIssuer) -> MoveClock:
    """The services believe the issuer, and follow one clock; the answer is what moves it."""
    file, trusted = settings[0].local_clock, settings[0].issuers
    databases = [each.database_url.get_secret_value() for each in settings]
    if file is None or trusted is None or not all(databases):
        raise NotLocal("local mode needs what the services have: RELINK_LOCAL_CLOCK, RELINK_ISSUERS, …_DATABASE_URL")
    trust = json.dumps([issuer.trust_by_address()], indent=1)
    if not trusted.exists():
        trusted.write_text(trust)
    elif trusted.read_text() != trust:
        raise NotLocal("the file RELINK_ISSUERS trusts others: local mode trusts its own issuer and nobody else")

    async def move_clock(now: datetime) -> int:
        return await local_clock.move_to(now, file, databases)

    return move_clock
