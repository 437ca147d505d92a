"""Each service as processes of its own, with its own database and role: they meet on the bus only."""

import json
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from relink import demo_data
from relink.demo_data import Setting
from relink.deployment import Deployment
from relink.failures import PartFailed
from relink.partner import partners_of
from relink.ports import free_ports
from relink.story.main_flow import order, read
from shared import clock
from tests.e2e.test_nothing_is_forgotten import prepared
from tests.support.deployment import deployed
from tests.support.processes import running

ALL = {
    (service, kind) for service in ("registry", "eligibility", "referral", "monitoring") for kind in ("api", "worker")
}


@pytest.fixture(scope="module")
async def deployment() -> AsyncIterator[Deployment]:
    async with deployed() as running:
        yield running


@pytest.fixture(scope="module")
async def setting(deployment: Deployment) -> Setting:
    return await demo_data.enter_setting(deployment)


async def post(deployment: Deployment, path: str, **request: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=deployment.origin, timeout=120) as http:
        return await http.post(path, **request)


async def test_four_apis_and_four_workers_are_one_system(deployment: Deployment, setting: Setting) -> None:
    assert deployment.processes.of.keys() == ALL
    assert len({process.number for process in deployment.processes.of.values()}) == len(ALL)
    async with partners_of(deployment, "be-return") as (belgium,):
        for path in ("/eligibility/v1/facts", "/referral/v1/referrals", "/monitoring/v1/referrals"):
            await belgium.get(path)  # each waits until that service has heard what the registry said
    logged = deployment.processes.of["registry", "api"].log.read_text().splitlines()
    request = next(json.loads(line) for line in logged if "POST /organizations" in line)
    assert request["request_id"]
    assert request["trace_id"]


async def test_a_token_from_the_gateway_is_believed_at_each_service_and_at_the_gateway(deployment: Deployment) -> None:
    form = {"grant_type": "client_credentials", "client_id": "ops"}
    answer = await post(deployment, "/dev/token", data=form)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    async with httpx.AsyncClient(headers=headers) as http:
        for name, address in deployment.processes.addresses.items():
            for origin in (deployment.origin, address):
                health = await http.get(f"{origin}/{name}/health")
                assert health.status_code == 200, health.text


async def test_the_clock_moves_in_all_processes_and_workers_run_what_is_due(
    deployment: Deployment, setting: Setting
) -> None:
    async with partners_of(deployment, "be-return") as (belgium,):
        service_id = setting.services["tailoring"]
        case, decision = await prepared(belgium, service_id, "BXL-1")
        sent = await belgium.post("/referral/v1/referrals", order(case, service_id, decision))
        assert set(sent["due"]) == {"acknowledgement", "decision"}
        ran = 0
        for _ in range(21):  # day by day, as it would pass
            moment = clock.now() + timedelta(days=1)
            moved = await post(deployment, "/dev/clock", json={"now": moment.isoformat()})
            assert moved.status_code == 200, moved.text
            ran += moved.json()["timers_run"]
        assert ran > 0
        expired = await read(belgium, sent)  # at once: whoever moves the clock need not wait
        assert (expired["status"], expired["place"]["state"]) == ("expired", "released")


def test_the_gateway_alone_gives_tokens_that_services_believe_and_moves_their_clock(
    deployment: Deployment, setting: Setting, tmp_path: Path
) -> None:
    """`relink gateway --local` in front of a registry that somebody started by hand, on the same environment."""
    gateway_port, registry_port = free_ports(2)
    origin, issuers = f"http://127.0.0.1:{gateway_port}", tmp_path / "issuers.json"
    environment = {"RELINK_GATEWAY_PORT": str(gateway_port), "RELINK_ORIGIN": origin, "RELINK_ISSUERS": str(issuers)}
    for settings in deployment.settings.values():
        own = {"origin": origin, "issuers": issuers, "port": registry_port}
        environment |= settings.model_copy(update=own).environment()
    gateway = running("-m", "relink", "gateway", "--local", log=tmp_path / "gateway.log", **environment)
    registry = running("-m", "services.registry", "api", log=tmp_path / "registry.log", **environment)
    with gateway as front:
        front.wait_for(f"{origin}/dev/jwks")
        with registry as behind:
            behind.wait_for(f"{origin}/registry/readyz")
            token = httpx.post(
                f"{origin}/dev/token", data={"grant_type": "client_credentials", "client_id": "bootstrap"}
            )
            headers = {"Authorization": f"Bearer {token.json()['access_token']}", "Idempotency-Key": "alone"}
            moment = clock.now() + timedelta(days=100)
            moved = httpx.post(f"{origin}/dev/clock", json={"now": moment.isoformat()}, timeout=120)
            assert moved.status_code == 200, moved.text
            organization = {"name": "Alone", "kind": "ngo", "country": "BE"}
            made = httpx.post(f"{origin}/registry/v1/organizations", json=organization, headers=headers)
            assert made.status_code == 201, made.text
            assert made.json()["created_at"] > moment.isoformat()[:19]
            assert httpx.get(f"{origin}/registry/metrics").status_code == 404
        assert httpx.get(f"{origin}/registry/readyz").status_code == 503
        assert front.stop() == 0
        assert "Traceback" not in front.output


async def test_a_process_that_was_killed_goes_on_where_the_others_are(deployment: Deployment, setting: Setting) -> None:
    before = clock.now() + timedelta(days=400)
    await deployment.move_clock(before)
    for key in (("referral", "api"), ("registry", "worker"), ("monitoring", "worker")):
        process = deployment.processes.of[key]
        process.kill()
        assert process.exit_code == -signal.SIGKILL
    with pytest.raises(PartFailed, match="has ended by itself"):
        await deployment.until_it_fails()
    async with partners_of(deployment, "bootstrap") as (bootstrap,):
        away = await post(deployment, "/referral/v1/cases", json={})
        assert (away.status_code, away.headers["Retry-After"]) == (503, "1")
        organization = {"name": "New", "kind": "ngo", "country": "BE"}
        said = await bootstrap.post("/registry/v1/organizations", organization)  # nobody carries it on yet
        for key in (("referral", "api"), ("registry", "worker"), ("monitoring", "worker")):
            deployment.processes.of[key].start()
        await deployment.processes.ready()
        assert said["created_at"] > before.isoformat()[:19]
    async with partners_of(deployment, "be-return") as (belgium,):
        case = await belgium.post(
            "/referral/v1/cases",
            {
                "reference": "BXL-9",
                "country_of_origin": "NG",
                "area": "NG012012",
                "return_type": "voluntary",
                "members": [{"sex": "female", "age_band": "25-34"}],
                "identity": {"name": "Somebody Invented"},
            },
        )
        assert case["created_at"] > before.isoformat()[:19]
        await belgium.get("/monitoring/v1/referrals")  # answered: the killed workers have caught up


async def test_every_process_ends_cleanly_when_it_is_asked_to(deployment: Deployment) -> None:
    await deployment.processes.stop()
    for process in deployment.processes.of.values():
        assert process.exit_code in (0, -signal.SIGTERM)  # uvicorn ends by the signal, once it has finished
        assert "Traceback" not in process.log.read_text()
