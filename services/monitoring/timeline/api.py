"""The timeline over HTTP."""

from typing import Annotated
from uuid import UUID

from services.monitoring.timeline import queries, views
from services.monitoring.timeline.schemas import ReferralOut, TimelineOut
from shared.actor import Actor
from shared.errors import NotFound
from shared.http import Page, PageRequest, Router, Transaction, needs, refusals

router = Router(tags=["timeline"])
ReferralReader = Annotated[Actor, needs("referrals:read")]


@router.get("/referrals", response_model=Page[ReferralOut])
async def list_referrals(session: Transaction, actor: ReferralReader, page: PageRequest) -> Page[ReferralOut]:
    """The referrals in which one's own organisation took part, as monitoring has heard of them.

    Where its part has ended, as they stood then.
    """
    found = await queries.find_referrals(session, actor, page)
    return Page(items=await views.show(session, found.items), next=found.next)


@router.get("/referrals/{referral_id}", response_model=TimelineOut, responses=refusals(NotFound))
async def get_referral(referral_id: UUID, session: Transaction, actor: ReferralReader) -> TimelineOut:
    """Everything that happened to a referral, in order, to the organisations that took part in it.

    An organisation whose part has ended (it was returned from there, the provider redirected it, or it was rejected)
    sees what happened up to then; when it gets the task again it sees on.
    """
    seen, entries = await queries.get_timeline(session, actor, referral_id)
    return await views.show_timeline(session, seen, entries)
