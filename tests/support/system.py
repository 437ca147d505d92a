"""The whole of Relink as a user runs it: one process, a real port, a real PostgreSQL; tests speak HTTP with it."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from relink.system import System

Client = Callable[[str], httpx.AsyncClient]


@pytest.fixture(scope="session")
async def system() -> "AsyncIterator[System]":
    """One system for the test session, on data of its own and any free port."""
    from relink.system import running_system  # noqa: PLC0415  # here, so that a test of one service needs no other

    with tempfile.TemporaryDirectory(prefix="relink-test-") as folder:
        async with running_system(Path(folder), port=0) as running:
            yield running


@pytest.fixture
async def client(system: "System") -> AsyncIterator[Client]:
    """`client("be-return")`: an HTTP client with that demo client's token; `client("")` has none."""
    async with AsyncExitStack() as stack:
        made: dict[str, httpx.AsyncClient] = {}

        def get(client_id: str) -> httpx.AsyncClient:
            if client_id not in made:
                made[client_id] = system.client(client_id) if client_id else httpx.AsyncClient(base_url=system.origin)
                stack.push_async_callback(made[client_id].aclose)
            return made[client_id]

        yield get


def after(*responses: httpx.Response) -> dict[str, str]:
    """The header that lets a request see what these wrote, whichever service it goes to."""
    events = [response.headers["Relink-Event"] for response in responses if "Relink-Event" in response.headers]
    return {"Relink-After": ", ".join(events)} if events else {}


def at(response: httpx.Response) -> dict[str, str]:
    """If-Match with the version that `response` showed."""
    return {"If-Match": response.headers["ETag"]}


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem in a refusal, which must be one."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    return body
