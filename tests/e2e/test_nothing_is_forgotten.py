"""Time passes in a running system: deadlines are missed, told and dealt with, and nothing is closed silently."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from relink import demo_data
from relink.demo_data import Setting, in_days, organization_id
from relink.partner import Partner, partners_of
from relink.story.main_flow import consent, decide, match_case, order, read, register
from relink.system import System, running_system
from shared import clock


@asynccontextmanager
async def _edo() -> AsyncIterator[tuple[System, Setting]]:
    with tempfile.TemporaryDirectory(prefix="relink-test-") as folder:
        async with running_system(Path(folder), port=0) as system:
            yield system, await demo_data.enter_setting(system)


async def prepared(sender: Partner, service_id: str, reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case with consent, and the decision that the service is for her."""
    case = await register(sender, reference, "Somebody Invented", 60)
    await consent(sender, case, organization_id("ng-hub"), organization_id("ng-provider"))
    facts = {"born_on": "1996-05-14", "returned_on": in_days(60)}
    decision = await decide(sender, await match_case(sender, case, facts), service_id)
    return case, decision


async def test_a_referral_that_nobody_answers_expires_and_its_place_is_free_again() -> None:
    async with _edo() as (system, setting), partners_of(system, "be-return") as (belgium,):
        service_id = setting.services["tailoring"]
        case, decision = await prepared(belgium, service_id, "BXL-1")
        sent = await belgium.post("/referral/v1/referrals", order(case, service_id, decision))
        assert set(sent["due"]) == {"acknowledgement", "decision"}
        for _ in range(21):  # day by day, as it would pass
            await system.move_clock(clock.now() + timedelta(days=1))
        expired = await read(belgium, sent)
        assert (expired["status"], expired["place"]["state"]) == ("expired", "released")
        entries = [(entry["what"], entry["by"]) for entry in await _history(belgium, sent)]
        assert ("expire", None) in entries
        told = await _timeline(system, sent, "ReferralExpired")
        assert told.index("DeadlineMissed") < told.index("ReferralExpired")
        assert expired["closed_at"] is None  # the owner has yet to say that it knows
        again = order(case, service_id, decision, follows_referral_id=sent["referral_id"])
        assert (await belgium.post("/referral/v1/referrals", again))["place"]["state"] == "held"


async def _history(partner: Partner, referral: dict[str, Any]) -> list[dict[str, Any]]:
    page = await partner.get(f"/referral/v1/referrals/{referral['referral_id']}/history")
    items: list[dict[str, Any]] = page["items"]
    return items


async def _timeline(system: System, referral: dict[str, Any], until: str) -> list[str]:
    """The events monitoring has heard. What a timer says has no answer that names it: ask until it is there."""
    async with partners_of(system, "be-return") as (belgium,):
        for _ in range(200):
            heard = await belgium.get(f"/monitoring/v1/referrals/{referral['referral_id']}")
            types = [entry["type"] for entry in heard["timeline"]]
            if until in types:
                return types
            await asyncio.sleep(0.02)
    raise AssertionError(types)


async def test_two_orders_for_the_last_place_at_the_same_moment_get_one_place() -> None:
    async with _edo() as (system, setting), partners_of(system, "be-return", "de-return") as senders:
        service_id = setting.services["tailoring"]
        orders = []
        for number, sender in enumerate(senders):
            case, decision = await prepared(sender, service_id, f"R-{number}")
            orders.append(order(case, service_id, decision, when_full="waitlist"))
        answers = await asyncio.gather(
            *[sender.post("/referral/v1/referrals", body) for sender, body in zip(senders, orders, strict=True)]
        )
        assert sorted(answer["place"]["state"] for answer in answers) == ["held", "queued"]


async def test_erasing_a_case_leaves_its_coarse_attributes_and_nothing_else() -> None:
    async with _edo() as (system, setting), partners_of(system, "be-return", "evaluator") as (belgium, evaluator):
        case, decision = await prepared(belgium, setting.services["welding"], "BXL-9")
        path = f"/referral/v1/cases/{case['case_id']}"
        sent = await belgium.post("/referral/v1/referrals", order(case, setting.services["welding"], decision))
        refused = await belgium.post(f"{path}/erase", expect=409, seen=await belgium.get(path))
        assert refused["type"].endswith("referrals-open")
        way = f"/referral/v1/referrals/{sent['referral_id']}/cancel"
        await belgium.act(way, sent, {"reason": {"code": "no_longer_needed"}})
        await belgium.act(f"{path}/erase", await belgium.get(path))
        erased = await belgium.get(path)
        assert erased["erased_at"] is not None
        assert "Invented" not in str(erased)
        assert erased.get("identity") is None
        assert erased["members"][0]["sex"] == "female"
        result = await evaluator.get("/monitoring/v1/indicators/3-completion-and-drop-out")
        assert result["referrals"] == 1
