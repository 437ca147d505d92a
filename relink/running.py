"""A Relink that runs on this machine, however many processes it is: what the demo and its partners know of it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from relink.demo_issuer import DemoIssuer

NOTICED_SECONDS = 2.0
"""Within this, a part that has died is known to have."""


@dataclass
class Running(ABC):
    """It answers at `origin` and believes `issuer`."""

    origin: str
    issuer: DemoIssuer
    written: list[str] = field(init=False, default_factory=list)
    """The last events that the demo's partners wrote: each of their requests waits for them."""

    def client(self, client_id: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
        """An HTTP client that speaks for a demo client, with a fresh token on every request. The caller closes it."""
        auth = _DemoAuth(self.issuer, client_id)
        return httpx.AsyncClient(base_url=self.origin, auth=auth, timeout=90, transport=transport)

    @abstractmethod
    async def move_clock(self, now: datetime) -> int:
        """Business time goes on from `now`; says how many timers had fallen due, all of which have run."""

    @abstractmethod
    async def until_it_fails(self) -> None:
        """Returns never; raises PartFailed when a part of it has died."""

    async def unless_it_fails(self, work: Coroutine[Any, Any, None]) -> None:
        """`work` has been done. Raises PartFailed when a part has died over it: that explains what `work` ran into."""
        doing, watching = asyncio.create_task(work), asyncio.create_task(self.until_it_fails())
        try:
            await asyncio.wait([doing, watching], return_when=asyncio.FIRST_COMPLETED)
            if doing.done() and doing.exception() is not None:
                await asyncio.wait([watching], timeout=NOTICED_SECONDS)
            await (watching if watching.done() else doing)
        finally:
            for task in (doing, watching):
                task.cancel()
            await asyncio.gather(doing, watching, return_exceptions=True)


class _DemoAuth(httpx.Auth):
    def __init__(self, issuer: DemoIssuer, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._issuer.token(self._client_id)}"
        yield request
