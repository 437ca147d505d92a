"""A service with criteria in force, and a question about it: how most of these tests begin."""

from typing import Any
from uuid import UUID

from tests.integration.eligibility.conftest import Eligibility
from tests.integration.eligibility.heard import COUNSELLOR, EDO, MANAGER, Client, published


async def offer(eligibility: Eligibility, *criteria: dict[str, Any], **service: Any) -> UUID:
    """A published service with these criteria in force."""
    told = published(**service)
    await eligibility.hear(told)
    path = f"/services/{told.service_id}/criteria"
    written = await eligibility.request("PUT", path, MANAGER, {"criteria": list(criteria)})
    assert written.status_code == 201, written.text
    validated = await eligibility.post(f"{path}/1/validate", MANAGER, {})
    assert validated.status_code == 200, validated.text
    return told.service_id


async def match(
    eligibility: Eligibility, by: Client = COUNSELLOR, language: str = "en", **asked: Any
) -> dict[str, Any]:
    body = {"country": "NG", "area": EDO, "profile": {}} | asked
    response = await eligibility.request("POST", "/matches", by, body, {"Accept-Language": language})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
