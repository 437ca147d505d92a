"""The load: cases and their referrals, from registration to the end, by partners who ask again until they are answered.

Every POST carries a key of its own, so asking again is safe: that is what the key is for.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import httpx

from relink.demo_data import Setting, in_days, organization_id
from relink.deployment import Deployment
from relink.partner import Partner, StepFailed
from relink.story import main_flow
from relink.story.main_flow import consent, decide, match_case, order, register
from shared import clock

PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = 0.1
ASK_AGAIN = frozenset({502, 503, 504})
KEY_IN_USE = "idempotency-key-in-use"
CHANGED = "precondition-failed"
SERVICES = ("welding", "counselling", "coaching")
STEPS = {
    "completed": ("accept", "start", "complete"),
    "failed": ("accept", "start", "fail"),
    "rejected": ("reject",),
    "cancelled": ("cancel",),
}
"""How a life may end → what is done with its referral at the provider."""
BODIES: dict[str, dict[str, Any]] = {
    "complete": {"outcome": "service_delivered"},
    "fail": {"reason": {"code": "dropped_out"}},
    "reject": {"reason": {"code": "no_funds"}},
    "cancel": {"reason": {"code": "no_longer_needed"}},
}


class Stubborn(httpx.AsyncHTTPTransport):
    """Sends a request again as long as nobody answers it, or the answer is "not now"."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                response = await super().handle_async_request(request)
                if not await _not_now(response):
                    return response
                await response.aclose()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            if time.monotonic() > until:
                raise httpx.ReadTimeout("nobody has answered for a long time", request=request)
            await asyncio.sleep(PAUSE_SECONDS)


async def _not_now(response: httpx.Response) -> bool:
    if response.status_code == 409:  # the first attempt may still run: its process died, and its database does not know
        return KEY_IN_USE in (await response.aread()).decode()
    return response.status_code in ASK_AGAIN


@asynccontextmanager
async def partners_of(deployment: Deployment) -> AsyncIterator[dict[str, Partner]]:
    """A sender, a hub and a provider, each of whom waits for what it has written itself."""
    async with AsyncExitStack() as stack:
        partners = {}
        for client_id in ("be-return", "ng-hub", "ng-provider"):
            http = await stack.enter_async_context(deployment.client(client_id, Stubborn()))
            partners[client_id] = Partner(client_id, http, [])
        yield partners


async def act(partner: Partner, referral: dict[str, Any], action: str, body: dict[str, Any]) -> None:
    """Read, then act; and read again where the system changed it in between, as it does when she arrives."""
    while True:
        try:
            await main_flow.act(partner, referral, action, **body)
        except StepFailed as refusal:
            if CHANGED not in str(refusal):
                raise
        else:
            return


class Life:
    """One case with one referral, and the partners who deal with it."""

    def __init__(self, partners: dict[str, Partner], setting: Setting, number: int, dice: Random) -> None:
        self.partners = partners
        self.service_id = setting.services[dice.choice(SERVICES)]
        self.end = dice.choice(sorted(STEPS))
        self.number = number
        self.case: dict[str, Any] = {}
        self.referral: dict[str, Any] = {}

    async def begin(self) -> None:
        """The case is registered and decided upon."""
        sender = self.partners["be-return"]
        self.case = await register(sender, f"LIFE-{self.number}", "Somebody Invented", 1)
        await consent(sender, self.case, organization_id("ng-hub"), organization_id("ng-provider"))
        facts = {"born_on": "1996-05-14", "returned_on": in_days(1), "wants_self_employment": True}
        self.decision = await decide(sender, await match_case(sender, self.case, facts), self.service_id)
        # Heard where it is needed: who is stopped next may be the one who hears.
        await sender.get(f"/referral/v1/cases/{self.case['case_id']}")

    async def send(self) -> None:
        """The referral is on its way."""
        body = order(self.case, self.service_id, self.decision, when_full="waitlist")
        self.referral = await self.partners["be-return"].post("/referral/v1/referrals", body)

    async def go_on(self) -> None:
        """Through the hub, and to its end."""
        sender, hub, provider = (self.partners[name] for name in ("be-return", "ng-hub", "ng-provider"))
        await act(hub, self.referral, "acknowledge_receipt", {})
        if self.end == "cancelled":
            await act(sender, self.referral, "cancel", BODIES["cancel"])
            return
        await act(hub, self.referral, "pass_on", {"to_organization_id": organization_id("ng-provider")})
        for step in STEPS[self.end]:
            if step == "start":
                path = f"/referral/v1/cases/{self.case['case_id']}"
                await sender.act(f"{path}/arrive", await sender.get(path), {"arrived_on": clock.today().isoformat()})
            await act(provider, self.referral, step, BODIES.get(step, {}))

    async def is_seen(self) -> None:
        """Monitoring shows the referral."""
        await self.partners["be-return"].get(f"/monitoring/v1/referrals/{self.referral['referral_id']}")

    async def live(self) -> None:
        await self.begin()
        await self.send()
        await self.go_on()
