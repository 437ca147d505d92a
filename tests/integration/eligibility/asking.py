"""A service with criteria in force, a question about it, and acting on what was read: what most of these tests do."""

from typing import Any
from uuid import UUID

import httpx

from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import COUNSELLOR, EDO, MANAGER, Client, published
from tests.support.system import at


async def offer(eligibility: Eligibility, *criteria: dict[str, Any], **service: Any) -> UUID:
    """A published service with these criteria in force."""
    told = published(**service)
    await eligibility.hear(told)
    path = f"/services/{told.service_id}/criteria"
    written = await eligibility.request("PUT", path, MANAGER, {"criteria": list(criteria)})
    assert written.status_code == 201, written.text
    validated = await act(eligibility, MANAGER, f"{path}/1", "validate", {})
    assert validated.status_code == 200, validated.text
    return told.service_id


async def act(eligibility: Eligibility, by: Client, path: str, action: str, body: Any = None) -> httpx.Response:
    """Read what stands at `path`, then act on it as it was read."""
    read = await eligibility.get(path, by)
    assert read.status_code == 200, read.text
    return await eligibility.post(f"{path}/{action}", by, body, **at(read))


async def match(
    eligibility: Eligibility, by: Client = COUNSELLOR, language: str = "en", **asked: Any
) -> dict[str, Any]:
    body = {"country": "NG", "area": EDO, "profile": {}} | asked
    response = await eligibility.request("POST", "/matches", by, body, {"Accept-Language": language})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
