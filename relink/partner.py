"""One organisation of the demo as it speaks HTTP: it says what it does, and sees what the others wrote before."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from relink.running import Running
from shared.ids import new_id

MOST_EVENTS = 8
NOT_CAUGHT_UP = "urn:relink:problem:not-caught-up"
PATIENCE = 60.0
"""Seconds for which a service may be behind: on a busy machine its worker may only just have started."""


class StepFailed(Exception):
    """An answer was not the one expected; the text says which and what it was."""


class Partner:
    """A demo client. `events` is shared by all partners of a story: a request waits for what was written before it."""

    def __init__(self, client_id: str, http: httpx.AsyncClient, events: list[str]) -> None:
        self.client_id = client_id
        self._http = http
        self._events = events

    async def get(self, path: str, expect: int = 200, **query: Any) -> dict[str, Any]:
        return await self._send("GET", path, expect, params=query)

    async def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        expect: int = 201,
        key: str | None = None,
        seen: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """POST `body`; `seen` is the resource as it was read, whose version goes into If-Match."""
        headers = {"Idempotency-Key": key or str(new_id())}
        if seen is not None:
            headers["If-Match"] = f'"{seen["version"]}"'
        return await self._send("POST", path, expect, json=body or {}, headers=headers)

    async def act(self, path: str, seen: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
        """An action on something that was read before."""
        return await self.post(path, body, expect=200, seen=seen)

    async def patch(self, path: str, seen: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        return await self._send("PATCH", path, 200, json=body, headers={"If-Match": f'"{seen["version"]}"'})

    async def put(self, path: str, body: dict[str, Any], expect: int = 201) -> dict[str, Any]:
        return await self._send("PUT", path, expect, json=body)

    async def upload(self, path: str, file: Path, **fields: str) -> dict[str, Any]:
        content = await asyncio.to_thread(file.read_bytes)
        return await self._send("POST", path, 202, data=fields, files={"file": (file.name, content)})

    async def _send(self, method: str, path: str, expect: int, **request: Any) -> dict[str, Any]:
        headers = request.pop("headers", {})
        if self._events:
            headers["Relink-After"] = ", ".join(self._events)
        response = await self._answered(method, path, headers=headers, **request)
        if response.status_code != expect:
            raise StepFailed(f"{self.client_id}: {method} {path} answered {response.status_code}: {_told(response)}")
        if (event := response.headers.get("Relink-Event")) is not None:
            self._remember(event)
        read: dict[str, Any] = response.json() if response.content else {}
        return read

    async def _answered(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer; one that has not heard yet what was written before is asked again, when it says."""
        deadline = time.monotonic() + PATIENCE
        while True:
            response = await self._http.request(method, path, **request)
            if response.status_code != 503 or _type(response) != NOT_CAUGHT_UP or time.monotonic() > deadline:
                return response
            await asyncio.sleep(float(response.headers["Retry-After"]))

    def _remember(self, event: str) -> None:
        if event not in self._events:
            self._events.append(event)
            del self._events[:-MOST_EVENTS]


def _type(response: httpx.Response) -> str:
    return str(response.json().get("type")) if "json" in response.headers.get("Content-Type", "") else ""


def _told(response: httpx.Response) -> str:
    """A refusal in its own words: problems hold nothing that was sent."""
    try:
        problem = response.json()
    except ValueError:
        return "no problem document"
    named = {name: value for name, value in problem.items() if name not in ("status", "instance")}
    return ", ".join(f"{name} {value}" for name, value in named.items())


@asynccontextmanager
async def partners_of(system: Running, *client_ids: str) -> AsyncIterator[list[Partner]]:
    """The partners, in the order asked for; their connections are closed at the end."""
    events = system.written
    clients = [system.client(client_id) for client_id in client_ids]
    try:
        yield [Partner(client_id, http, events) for client_id, http in zip(client_ids, clients, strict=True)]
    finally:
        for http in clients:
            await http.aclose()
