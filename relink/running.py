"""A Relink that runs on this machine, however many processes it is: what the demo and its partners know of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from relink.demo_issuer import DemoIssuer


@dataclass
class Running(ABC):
    """It answers at `origin` and believes `issuer`."""

    origin: str
    issuer: DemoIssuer
    written: list[str] = field(init=False, default_factory=list)
    """The last events that the demo's partners wrote: each of their requests waits for them."""

    def client(self, client_id: str) -> httpx.AsyncClient:
        """An HTTP client that speaks for a demo client, with a fresh token on every request. The caller closes it."""
        return httpx.AsyncClient(base_url=self.origin, auth=_DemoAuth(self.issuer, client_id), timeout=30)

    @abstractmethod
    async def move_clock(self, now: datetime) -> int:
        """Business time goes on from `now`; says how many timers had fallen due, all of which have run."""

    @abstractmethod
    async def until_it_fails(self) -> None:
        """Returns never; raises PartFailed when a part of it has died."""


class _DemoAuth(httpx.Auth):
    def __init__(self, issuer: DemoIssuer, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._issuer.token(self._client_id)}"
        yield request
