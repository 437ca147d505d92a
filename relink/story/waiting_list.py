"""A second, short story: a service that is full, a waiting list, a place that becomes free."""

from typing import Any

from relink.demo_data import Setting, organization_id
from relink.partner import Partner, partners_of
from relink.running import Running
from relink.story.main_flow import act, arrive, consent, decide, match_case, order, read, register
from relink.story.telling import Teller, check
from shared import clock

DAYS = 10


async def play(system: Running, setting: Setting, teller: Teller) -> None:
    """One place, two returnees from two member states: the second waits, and gets the place the first gives back."""
    teller.chapter("6. A service that is full, a waiting list, a place that becomes free")
    service_id = setting.services["tailoring"]
    async with partners_of(system, "be-return", "de-return", "ng-hub", "ng-provider") as partners:
        belgium, germany, hub, provider = partners
        first_case, first = await _send(belgium, service_id, "BXL-3001")
        check(first["place"]["state"] == "held", "the first has no place")
        teller.says("The tailoring course has one place. A referral from Belgium takes it.")
        second_case, second = await _send(germany, service_id, "HH-17", when_full="waitlist")
        check(second["status"] == "waitlisted" and second["place"]["position"] == 1, "the second does not wait")
        teller.says("A referral from Germany comes too late for it, and was sent to wait: first in the queue.")
        for referral in (first, second):
            await act(hub, referral, "acknowledge_receipt")
            await act(hub, referral, "pass_on", to_organization_id=organization_id("ng-provider"))
        await act(provider, first, "accept")
        teller.says("The hub passes both on. The provider accepts the first; the second keeps its turn.")
        await act(belgium, first, "cancel", reason={"code": "returnee_declined"})
        teller.says("The first returnee changes her mind: Belgium withdraws the referral, and the place is free.")
        offered = await read(germany, second)
        check(offered["place"]["state"] == "offered", "the place was not offered")
        until = offered["place"]["offered_until"][:10]
        teller.says(f"Nobody had to look: the place is offered to the one who waits, until {until}.")
        accepted = await act(provider, second, "accept")
        check(accepted["status"] == "accepted", "the offer was not taken")
        await arrive(system, germany, second_case, DAYS)
        await act(provider, second, "start")
        done = await act(provider, second, "complete", outcome="enrolled")
        check(done["status"] == "completed", "the second was not completed")
        teller.says("The provider takes her on, she arrives, and the course begins and is completed.")
        closed = await act(germany, second, "acknowledge_outcome")
        check(closed["closed_at"] is not None, "the loop is not closed")
        for sender, case in ((belgium, first_case), (germany, second_case)):
            await _close(sender, case)
        teller.says("Both cases are closed; no referral is lost, and none was forgotten.")


async def _send(
    sender: Partner, service_id: str, reference: str, when_full: str = "refuse"
) -> tuple[dict[str, Any], dict[str, Any]]:
    case = await register(sender, reference, "Somebody Invented", DAYS)
    await consent(sender, case, organization_id("ng-hub"), organization_id("ng-provider"))
    born_on = clock.today().replace(year=clock.today().year - 30, day=1).isoformat()
    match = await match_case(sender, case, {"born_on": born_on})
    decision = await decide(sender, match, service_id)
    body = order(case, service_id, decision, when_full=when_full)
    return case, await sender.post("/referral/v1/referrals", body)


async def _close(sender: Partner, case: dict[str, Any]) -> None:
    path = f"/referral/v1/cases/{case['case_id']}"
    await sender.act(f"{path}/close", await sender.get(path))
