"""Tokens and clock of local mode."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from relink.demo_issuer import CLIENTS, DemoIssuer
from relink.local_mode import NotLoopback, local_mode
from shared.errors import Unauthenticated
from shared.http.auth import Trust, issuer_of

ORIGIN = "http://127.0.0.1:8000"
CREDENTIALS = {"grant_type": "client_credentials"}


class Clock:
    def __init__(self) -> None:
        self.moved_to: list[datetime] = []

    async def move(self, now: datetime) -> int:
        self.moved_to.append(now)
        return 3


async def post(
    path: str, issuer: DemoIssuer | None = None, clock: Clock | None = None, **request: Any
) -> httpx.Response:
    app = local_mode("127.0.0.1", issuer or DemoIssuer(ORIGIN), (clock or Clock()).move)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        return await client.post(path, **request)


def trust(issuer: DemoIssuer, audience: str = ORIGIN) -> Trust:
    return Trust(audience, [issuer_of(issuer.trust())])


@pytest.mark.parametrize("client_id", CLIENTS)
async def test_every_demo_client_gets_a_token_that_the_services_believe(client_id: str) -> None:
    issuer = DemoIssuer(ORIGIN)
    response = await post("/dev/token", issuer, data=CREDENTIALS | {"client_id": client_id})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    actor = await trust(issuer).actor(answer["access_token"])
    client = CLIENTS[client_id]
    assert (actor.client_id, actor.org_id, actor.country) == (client_id, client.org_id, client.country)
    assert actor.scopes == set(client.scopes.split())


def test_demo_organisations_have_fixed_ids() -> None:
    assert str(CLIENTS["be-return"].org_id) == "00000000-0000-7000-8000-000000000003"
    assert len({client.org_id for client in CLIENTS.values()}) == len(CLIENTS)


async def test_a_token_of_another_start_or_origin_is_not_believed() -> None:
    issuer = DemoIssuer(ORIGIN)
    token = issuer.token("ops")
    with pytest.raises(Unauthenticated):
        await trust(DemoIssuer(ORIGIN)).actor(token)
    with pytest.raises(Unauthenticated):
        await trust(issuer, "http://127.0.0.1:9000").actor(token)


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ({"data": CREDENTIALS | {"client_id": "nobody"}}, 401, "invalid_client"),
        ({"data": {"grant_type": "password", "client_id": "ops"}}, 400, "unsupported_grant_type"),
        ({"data": CREDENTIALS}, 400, "invalid_request"),
        ({"data": {"client_id": "ops"}}, 400, "invalid_request"),
        ({"data": CREDENTIALS | {"client_id": ["ops", "bootstrap"]}}, 400, "invalid_request"),
        ({"json": CREDENTIALS | {"client_id": "ops"}}, 400, "invalid_request"),
        ({"files": {"client_id": b"ops"}, "data": CREDENTIALS}, 400, "invalid_request"),
    ],
)
async def test_a_token_request_that_is_not_as_it_should_be_is_an_oauth_error(
    request_: dict[str, Any], status: int, error: str
) -> None:
    response = await post("/dev/token", **request_)
    assert (response.status_code, response.json()) == (status, {"error": error})


async def test_the_clock_answers_when_the_timers_have_run() -> None:
    clock = Clock()
    response = await post("/dev/clock", clock=clock, json={"now": "2027-03-01T09:00:00+01:00"})
    assert (response.status_code, response.json()["timers_run"]) == (200, 3)
    assert clock.moved_to == [datetime(2027, 3, 1, 8, tzinfo=UTC)]


@pytest.mark.parametrize(
    "body", [{}, {"now": "2027-03-01T09:00:00"}, {"now": "Ada"}, {"now": "2027-03-01T09:00:00Z", "x": 1}]
)
async def test_a_moment_without_zone_or_sense_moves_nothing_and_is_not_echoed(body: dict[str, object]) -> None:
    clock = Clock()
    response = await post("/dev/clock", clock=clock, json=body)
    assert response.status_code == 422
    assert clock.moved_to == []
    assert "Ada" not in response.text


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104  # refused is the point
def test_local_mode_does_not_exist_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(NotLoopback):
        local_mode(host, DemoIssuer(ORIGIN), Clock().move)
