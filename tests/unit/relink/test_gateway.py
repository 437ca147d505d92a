"""The gateway sends a request to the service that its path names, and to nobody else."""

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from relink.gateway import Gateway


def service(name: str) -> ASGIApp:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(f"{name} {scope['path']}")(scope, receive, send)

    return answer


async def get(path: str) -> httpx.Response:
    gateway = Gateway({"registry": service("registry"), "referral": service("referral")})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://127.0.0.1") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/registry/v1/services", "registry /registry/v1/services"),
        ("/referral/livez", "referral /referral/livez"),
        ("/registry", "registry /registry"),
        ("/registry/v1/metrics", "registry /registry/v1/metrics"),
    ],
)
async def test_the_first_segment_names_the_service(path: str, answer: str) -> None:
    assert (await get(path)).text == answer


@pytest.mark.parametrize(
    "path", ["/", "/registr/v1", "/Registry/v1", "//registry", "/registry/metrics", "/registry/metrics/x"]
)
async def test_what_no_service_offers_to_the_public_is_a_problem_that_says_not_found(path: str) -> None:
    response = await get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "registr" not in response.text.lower()
