"""What every route does before and after its endpoint, on a service that has nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import Response
from pydantic import Field
from sqlalchemy import func, select, text

from relink.embedded import EmbeddedPostgres
from shared import outbox
from shared.actor import Actor
from shared.db import outbox as outbox_table
from shared.errors import Conflict
from shared.events.referral import PlacesChanged
from shared.http import KEY_REQUIRED, Expected, MergePatch, Router, Transaction, expect, needs, patched
from shared.http.route import BODY_LIMIT
from shared.http.schema import AreaCode, Country, In, Name
from shared.ids import new_id
from tests.support.databases import Probe, probe_service, start_probe
from tests.support.tokens import Issuer

Writer = Annotated[Actor, needs("cases:write")]
SECRET = "Sensitive-Name-42"


class ThingIn(In):
    name: Name
    country: Country
    areas: Annotated[list[AreaCode], Field(max_length=3)] = []
    count: int = 0
    notes: dict[str, int] = {}


class Refused(Conflict):
    """The thing was refused"""


class Row:
    version = 4


router = Router(tags=["things"])


@router.post("/things", status_code=201, openapi_extra=KEY_REQUIRED)
async def make(body: ThingIn, session: Transaction, actor: Writer) -> dict[str, Any]:
    service_id = new_id()
    event = PlacesChanged(version=1, service_id=service_id, set_aside=1, held=0, offered=0, used=0, queued=0, free=1)
    await outbox.publish(session, event)
    return {"thing_id": str(service_id), "version": 1}


@router.post("/slow")
async def slow(session: Transaction, actor: Writer) -> dict[str, int]:
    await session.execute(text("SELECT pg_sleep(0.4)"))
    return {"version": 1}


@router.post("/refused")
async def refuse(session: Transaction, actor: Writer) -> None:
    await publish_one(session)
    raise Refused("one word", current="draft")


@router.post("/breaks-at-commit", status_code=201)
async def break_at_commit(session: Transaction, actor: Writer) -> dict[str, int]:
    await session.execute(text("CREATE TEMP TABLE t (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    await session.execute(text("INSERT INTO t VALUES (1), (1)"))
    return {"version": 1}


@router.post("/breaks")
async def break_down(session: Transaction, actor: Writer) -> None:
    raise LookupError(SECRET)


@router.post("/number/{number}")
async def number(number: int, session: Transaction, actor: Writer) -> Response:
    await session.execute(text("SELECT CAST(:number AS int)"), {"number": number})
    return Response(status_code=204)


@router.patch("/things/{thing_id}")
async def change(thing_id: UUID, body: MergePatch, expected: Expected, actor: Writer) -> dict[str, Any]:
    expect(Row(), expected)  # type: ignore[arg-type]  # anything with a version
    current = ThingIn(name="before", country="NG", areas=["NG012"])
    return patched(ThingIn, current, body).model_dump() | {"version": 5}


async def publish_one(session: Any) -> None:
    await outbox.publish(
        session,
        PlacesChanged(version=1, service_id=new_id(), set_aside=1, held=0, offered=0, used=0, queued=0, free=1),
    )


GOOD = {"name": "A thing", "country": "NG"}
PATH = "/referral/v1/things"


class Api:
    def __init__(self, probe: Probe, http: httpx.AsyncClient, issuer: Issuer) -> None:
        self.probe, self.http, self.issuer = probe, http, issuer
        self.org_id = new_id()
        self.token = issuer.headers("be-return", "cases:read cases:write", self.org_id)

    async def post(self, path: str = PATH, body: Any = GOOD, key: str | None = None, **headers: str) -> httpx.Response:
        sent = self.token | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=sent | ({"Idempotency-Key": key} if key else {}))

    async def events(self) -> int:
        async with self.probe.runtime.sessions() as session:
            return await session.scalar(select(func.count()).select_from(outbox_table)) or 0


@pytest.fixture
async def api(postgres: EmbeddedPostgres) -> AsyncIterator[Api]:
    issuer = Issuer()
    service = probe_service()
    service.routers.append(router)
    probe = await start_probe(postgres, service, issuer.trust())
    transport = httpx.ASGITransport(service.api(probe.runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Api(probe, http, issuer)
    await probe.runtime.close()


async def test_the_order_of_refusals_is_401_403_missing_key_422(api: Api) -> None:
    async def send(**headers: str) -> httpx.Response:
        return await api.http.post(PATH, content=b"{", headers={"Content-Type": "application/json", **headers})

    assert (await send()).status_code == 401
    refused = await send(**api.issuer.headers("be-return", "cases:read"))
    assert (refused.status_code, refused.json()["needs"]) == (403, ["cases:write"])
    missing = await send(**api.token)
    assert (missing.status_code, missing.json()["type"]) == (400, "urn:relink:problem:idempotency-key-missing")
    unreadable = await send(**api.token, **{"Idempotency-Key": "k"})
    assert unreadable.json()["type"] == "urn:relink:problem:malformed"
    assert (await api.post(body={}, key="k")).status_code == 422


async def test_an_answer_names_its_version_and_its_event(api: Api) -> None:
    made = await api.post(key="k1")
    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    service, _, event_id = made.headers["Relink-Event"].partition(":")
    assert (service, UUID(event_id).version) == ("referral", 7)
    assert made.headers["Cache-Control"] == "no-store"


async def test_the_same_key_and_body_is_done_once_and_answered_alike(api: Api) -> None:
    first, second = await api.post(key="k1"), await api.post(key='"k1"')
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["Relink-Event"] == second.headers["Relink-Event"]
    assert await api.events() == 1


async def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    await api.post(key="k1")
    other = await api.post(body=GOOD | {"name": "Another"}, key="k1")
    assert (other.status_code, other.json()["type"]) == (422, "urn:relink:problem:idempotency-key-reused")


async def test_the_same_key_of_another_client_is_another_key(api: Api) -> None:
    first = await api.post(key="k1")
    api.token = api.issuer.headers("de-return", "cases:write", api.org_id)
    second = await api.post(key="k1")
    assert first.json()["thing_id"] != second.json()["thing_id"]


async def test_the_same_key_of_another_organisation_is_another_key_although_the_client_has_the_same_name(
    api: Api,
) -> None:
    first = await api.post(key="k1")
    api.token = api.issuer.headers("be-return", "cases:write", new_id())
    second = await api.post(key="k1")
    assert "Idempotency-Replayed" not in second.headers
    assert first.json()["thing_id"] != second.json()["thing_id"]


async def test_a_query_parameter_that_nobody_knows_is_refused(api: Api) -> None:
    refused = await api.post(f"{PATH}?stauts={SECRET}", key="k")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_field")
    assert SECRET not in refused.text


async def test_a_file_sent_again_with_its_key_is_the_same_request_whatever_boundary_the_client_draws(api: Api) -> None:
    headers = api.token | {"Idempotency-Key": "k1"}
    answers = [
        await api.http.post("/referral/v1/slow", files={"file": ("a.csv", b"a,b\n")}, headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def test_a_key_whose_request_still_runs_is_refused(api: Api) -> None:
    one, two = await asyncio.gather(*[api.post("/referral/v1/slow", {}, key="k1") for _ in range(2)])
    assert sorted([one.status_code, two.status_code]) == [200, 409]


async def test_a_refusal_leaves_nothing_and_the_key_can_be_used_again(api: Api) -> None:
    for _ in range(2):
        refused = await api.post("/referral/v1/refused", {}, key="k1")
        assert refused.status_code == 409
        body = refused.json()
        assert body["type"] == "urn:relink:problem:refused"
        assert (body["title"], body["detail"], body["current"]) == ("The thing was refused", "one word", "draft")
    assert await api.events() == 0


async def test_the_transaction_commits_before_the_answer_leaves(api: Api) -> None:
    """With FastAPI's default dependency scope the client would read 201 here."""
    assert (await api.post("/referral/v1/breaks-at-commit", {})).status_code == 500


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"country": "NG"}, "/name", "missing"),
        (GOOD | {"country": SECRET}, "/country", "string_too_long"),
        (GOOD | {"country": "QQ"}, "/country", "unknown_country"),
        (GOOD | {"areas": ["NG012", SECRET]}, "/areas/1", "string_pattern_mismatch"),
        (GOOD | {SECRET: 1}, "", "unknown_field"),
        (GOOD | {"notes": {SECRET: "x"}}, "/notes", "int_parsing"),
        (GOOD | {"count": SECRET}, "/count", "int_parsing"),
        ([SECRET], "", "model_attributes_type"),
        (SECRET, "", "model_attributes_type"),
    ],
)
async def test_bad_input_is_told_where_and_never_echoed(api: Api, body: Any, pointer: str, code: str) -> None:
    refused = await api.post(body=body, key="k")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert {(error["pointer"], error["code"]) for error in refused.json()["errors"]} == {(pointer, code)}
    assert SECRET not in refused.text


async def test_what_breaks_says_nothing_of_why(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    broken = await api.post("/referral/v1/breaks", {})
    assert (broken.status_code, broken.json()["type"]) == (500, "urn:relink:problem:internal")
    assert SECRET not in broken.text
    assert SECRET not in caplog.text
    assert "LookupError at test_http.py" in caplog.text


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b'{"name": "a\\u0000b", "country": "NG"}', b'{"name": "\xff", "country": "NG"}', b"{" * 100_000],
)
async def test_a_body_that_cannot_be_stored_is_refused(api: Api, content: bytes) -> None:
    headers = api.token | {"Content-Type": "application/json", "Idempotency-Key": "k"}
    refused = await api.http.post(PATH, content=content, headers=headers)
    assert refused.status_code in (400, 422), refused.text


async def test_a_lone_surrogate_is_refused(api: Api) -> None:
    headers = api.token | {"Content-Type": "application/json", "Idempotency-Key": "k"}
    content = b'{"name": "\\ud800", "country": "NG"}'
    assert (await api.http.post(PATH, content=content, headers=headers)).status_code == 422


async def test_a_body_beyond_the_limit_is_refused(api: Api) -> None:
    huge = json.dumps(GOOD | {"name": "x" * BODY_LIMIT}).encode()
    headers = api.token | {"Content-Type": "application/json", "Idempotency-Key": "k"}

    async def in_pieces() -> AsyncIterator[bytes]:
        yield huge[:10]
        yield huge[10:]

    for content in (huge, in_pieces()):
        refused = await api.http.post(PATH, content=content, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (413, "urn:relink:problem:too-large")
    assert (await api.http.post(PATH, content=huge)).status_code == 401


async def test_a_number_no_column_can_hold_is_the_senders_mistake(api: Api) -> None:
    assert (await api.post(f"/referral/v1/number/{2**40}", {})).status_code == 422
    assert (await api.post(f"/referral/v1/number/{2**70}", {})).status_code == 422


async def test_editing_needs_the_version_that_was_read(api: Api) -> None:
    path, patch = f"{PATH}/{new_id()}", {"areas": None, "name": "after"}
    assert (await api.http.patch(path, json=patch, headers=api.token)).status_code == 428
    for stale in ('"3"', "*", '"abc"', '""', "9" * 400):
        headers = api.token | {"If-Match": stale}
        assert (await api.http.patch(path, json=patch, headers=headers)).status_code == 412
    changed = await api.http.patch(path, json=patch, headers=api.token | {"If-Match": '"4"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"5"')
    assert (changed.json()["name"], changed.json()["areas"]) == ("after", [])
    bad = await api.http.patch(path, json={"name": None}, headers=api.token | {"If-Match": '"4"'})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/name")


@pytest.mark.parametrize(
    "after",
    ["", "x", "referral", "referral:1", f"nobody:{new_id()}", ",".join(f"referral:{new_id()}" for _ in range(9))],
)
async def test_a_relink_after_that_names_no_event_is_refused(api: Api, after: str) -> None:
    assert (await api.post(key="k", Relink_After=after)).status_code == 400


async def test_an_event_that_nobody_here_hears_counts_as_past(api: Api) -> None:
    assert (await api.post(key="k", Relink_After=f"monitoring:{new_id()}")).status_code == 201


async def test_an_event_that_never_comes_is_a_503_with_retry_after(postgres: EmbeddedPostgres) -> None:
    issuer, service = Issuer(), probe_service()
    service.routers.append(router)

    async def hear(*_: Any) -> None: ...

    service.projections.on(PlacesChanged)(hear)
    probe = await start_probe(postgres, service, issuer.trust())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(service.api(probe.runtime)), base_url="http://x"
    ) as http:
        headers = issuer.headers("be-return", "cases:write") | {"Idempotency-Key": "k"}
        late = await http.post(PATH, json=GOOD, headers=headers | {"Relink-After": f"referral:{new_id()}"})
    assert late.status_code == 503
    assert late.headers["Retry-After"]
    await probe.runtime.close()


async def test_an_address_that_does_not_exist_is_a_problem_without_echo(api: Api) -> None:
    for path in (f"/referral/v1/{SECRET}", f"/referral/{SECRET}", f"/{SECRET}"):
        missing = await api.http.get(path, headers=api.token)
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:relink:problem:not-found")
        assert SECRET not in missing.text
    assert (await api.http.delete(PATH, headers=api.token)).status_code == 405


async def test_a_route_that_names_no_scope_cannot_exist() -> None:
    open_door = Router(tags=["x"])
    with pytest.raises(TypeError):

        @open_door.get("/open")
        async def _() -> None: ...


async def test_liveness_asks_nobody_and_readiness_says_what_is_missing(api: Api) -> None:
    assert (await api.http.get("/referral/livez")).status_code == 200
    ready = await api.http.get("/referral/readyz")
    assert ready.status_code == 503  # the probe's tables were not made by a migration
    assert ready.json()["checks"]["database"] is True
    assert ready.json()["checks"]["bus"] is True
    assert (await api.http.get("/referral/health")).status_code == 401
    health = await api.http.get("/referral/health", headers=api.issuer.headers("ops", "ops:health"))
    assert health.headers["content-type"] == "application/health+json"
    assert health.json()["checks"]["outbox:oldestUnpublished"][0]["status"] == "pass"
    assert health.json()["checks"]["parked:events"][0]["observedValue"] == 0
