"""Every route: nobody without a token, nobody without the scope, nothing about what does not exist."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.registry.conftest import ORGANIZATIONS, Registry
from tests.support.system import problem

NOBODY = new_id()
NOUNS = ("organizations", "programmes", "services", "agreements", "mechanisms")
READING = [
    "/areas", "/areas/NG", "/organizations", "/programmes", "/services", "/agreements", "/mechanisms",
    *(f"/{noun}/{NOBODY}" for noun in (*NOUNS, "imports")),
    f"/imports/{NOBODY}/issues",
    *(f"/{noun}/{NOBODY}/history" for noun in ("organizations", "programmes", "services")),
    "/review_intervals", "/review_intervals/housing", "/coverage?country=NG",
    f"/services/{NOBODY}/doubts", f"/services/{NOBODY}/doubts/{NOBODY}",
]  # fmt: skip
WRITING = [
    ("GET", "/reviews_due"), ("POST", f"/services/{NOBODY}/doubts"),
    ("PATCH", f"/services/{NOBODY}/doubts/{NOBODY}"), ("POST", f"/services/{NOBODY}/doubts/{NOBODY}/resolve"),
    ("POST", f"/programmes/{NOBODY}/confirm"), ("POST", f"/services/{NOBODY}/confirm"),
    ("POST", "/programmes"), ("POST", "/services"), ("POST", "/agreements"), ("POST", "/mechanisms"),
    *(("PATCH", f"/{noun}/{NOBODY}") for noun in NOUNS),
    *(("POST", f"/agreements/{NOBODY}/{action}") for action in ("propose", "sign", "end")),
]  # fmt: skip
CURATING = [
    ("POST", "/areas"), ("POST", "/organizations"), ("POST", "/imports"),
    ("POST", f"/organizations/{NOBODY}/confirm"),
    *(("POST", f"/programmes/{NOBODY}/{action}") for action in ("publish", "retire")),
    *(("POST", f"/services/{NOBODY}/{action}") for action in ("publish", "retire")),
    ("PATCH", "/review_intervals/housing"),
]  # fmt: skip
ALL = [*(("GET", path) for path in READING), *WRITING, *CURATING]


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_nobody_without_a_token(registry: Registry, method: str, path: str) -> None:
    answer = await registry.ask(method, None, path)
    assert answer.status_code == 401
    assert problem(answer)["type"] == "urn:relink:problem:unauthenticated"


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_nobody_without_the_scope(registry: Registry, method: str, path: str) -> None:
    answer = await registry.ask(method, "evaluator", path)
    assert answer.status_code == 403
    assert problem(answer)["type"] == "urn:relink:problem:forbidden"


@pytest.mark.parametrize(("method", "path"), CURATING)
async def test_writing_is_not_curating(registry: Registry, method: str, path: str) -> None:
    assert (await registry.ask(method, "ng-provider", path)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path in ALL if str(NOBODY) in path] + [("GET", "/areas/NG999")]
)
async def test_what_does_not_exist_is_not_found(registry: Registry, method: str, path: str) -> None:
    options: dict[str, Any] = {} if method == "GET" else {"headers": {"If-Match": '"1"'}}
    if method == "PATCH":
        options["json"] = {}
    elif method == "POST" and "doubts" in path:
        options["json"] = {"outcome": "unfounded"} if path.endswith("resolve") else {"field": "name", "source": "hub"}
    answer = await registry.ask(method, "registry-manager", path, **options)
    assert answer.status_code == 404
    assert problem(answer)["type"] == "urn:relink:problem:not-found"


@pytest.mark.parametrize("noun", ["programmes", "services", "mechanisms"])
async def test_nobody_enters_things_for_another_organisation(registry: Registry, noun: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "programmes": {"name": "x", "countries": ["NG"]},
        "services": {"name": "x", "type": "housing", "dimension": "social", "level": "individual"},
        "mechanisms": {"kind": "hub", "countries": ["NG"]},
    }
    body = bodies[noun]
    for organization_id in (ORGANIZATIONS["ng-hub"], str(NOBODY)):
        answer = await registry.post("ng-provider", f"/{noun}", body | {"organization_id": organization_id})
        assert answer.status_code == 403
    unknown = await registry.post("registry-manager", f"/{noun}", body | {"organization_id": str(NOBODY)})
    assert unknown.status_code == 422
    assert problem(unknown)["errors"][0]["code"] == "unknown_organization"
