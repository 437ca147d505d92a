"""What follows elsewhere: offers of freed places, and referrals that lose what they rested on."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import queries as cases
from services.referral.places import actions as places
from services.referral.referrals import actions, permission, queries, reasons, schedule
from services.referral.referrals.domain import NOT_STARTED, UNACCEPTED, Action, Role
from services.referral.referrals.journey import Journey
from services.referral.referrals.offers import offer_places
from services.referral.referrals.steps import Step
from services.referral.referrals.transitions import allowed
from shared import clock
from shared.bus.listeners import Reactions
from shared.events import referral as events
from shared.events.referral import (
    AssessmentRecorded,
    CaseArrived,
    CaseChanged,
    ConsentGiven,
    ConsentWithdrawn,
    ReturnCancelled,
)
from shared.events.registry import (
    AgreementChanged,
    AgreementEnded,
    AgreementSigned,
    ServiceChanged,
    ServicePublished,
    ServiceRetired,
)

STOPPED, RESUMED, MOVED = "sharing_stopped", "sharing_resumed", "deadline_moved"

reactions = Reactions()


def _frees_a_place(event: events._Referral) -> bool:
    return event.freed_service_id is not None


@reactions.on(events._Referral, when=_frees_a_place)
async def offer_freed_place(session: AsyncSession, event: events._Referral) -> None:
    if event.freed_service_id is not None:
        await offer_places(session, event.freed_service_id)


@reactions.on(ServicePublished, ServiceChanged)
async def offer_added_places(session: AsyncSession, event: ServicePublished | ServiceChanged) -> None:
    """Fewer places: nobody loses his. More: they go to the queue."""
    await offer_places(session, event.service_id)


@reactions.on(ReturnCancelled)
async def cancel_with_the_return(session: AsyncSession, event: ReturnCancelled) -> None:
    for journey in await _locked(session, await queries.open_of_case(session, event.case_id)):
        if journey.referral.state in NOT_STARTED:
            await actions.act_for_system(session, journey, Action.CANCEL, reasons.RETURN_NOT_EXECUTED)


@reactions.on(CaseArrived, CaseChanged)
async def move_deadlines(session: AsyncSession, event: CaseArrived | CaseChanged) -> None:
    """First contact and start are due from the arrival on; a decision comes before the departure, whenever that is."""
    for journey in await _locked(session, await queries.open_of_case(session, event.case_id)):
        before = dict(journey.referral.due)
        await schedule.departure_moved(session, journey)
        await schedule.settle(session, journey)
        if journey.referral.due != before:
            await Step(session, journey, MOVED, by=None).note()


@reactions.on(AssessmentRecorded)
async def take_screening_into_account(session: AsyncSession, event: AssessmentRecorded) -> None:
    """Whoever is found vulnerable comes earlier wherever she queues."""
    if event.kind == "vulnerability":
        vulnerable = await cases.is_vulnerable(session, event.case_id)
        await places.screened(session, event.case_id, vulnerable=vulnerable)


@reactions.on(ConsentWithdrawn)
async def stop_without_consent(session: AsyncSession, event: ConsentWithdrawn) -> None:
    await _stop(session, await queries.open_of_case(session, event.case_id), reasons.CONSENT_WITHDRAWN)


@reactions.on(ConsentGiven, AgreementSigned, AgreementChanged)
async def share_again(session: AsyncSession, _: ConsentGiven | AgreementSigned | AgreementChanged) -> None:
    """Where sharing had stopped and everything it needs is there again it goes on."""
    for journey in await _locked(session, await queries.open_without_sharing(session)):
        if await permission.still_shares(session, journey):
            journey.referral.sharing_stopped_at = None
            await Step(session, journey, RESUMED, by=None).note()


@reactions.on(AgreementEnded, AgreementChanged)
async def stop_without_agreement(session: AsyncSession, event: AgreementEnded | AgreementChanged) -> None:
    exporters = [party.organization_id for party in event.parties] if event.transfer_instrument else []
    concerned = await queries.open_by_agreement(session, event.agreement_id, exporters)
    await _stop(session, concerned, reasons.AGREEMENT_ENDED)


@reactions.on(ServiceRetired)
async def stop_without_service(session: AsyncSession, event: ServiceRetired) -> None:
    await _stop(session, await queries.open_of_service(session, event.service_id), reasons.SERVICE_ENDED)


async def _locked(session: AsyncSession, referral_ids: Collection[UUID]) -> list[Journey]:
    """Under lock, those of one service together, so that ledgers too are locked in one order."""
    locked = await queries.lock(session, referral_ids)
    return sorted(locked, key=lambda journey: (journey.referral.service_id, journey.referral.referral_id))


async def _stop(session: AsyncSession, referral_ids: Collection[UUID], reason: str) -> None:
    """Cancel what nobody has accepted; after acceptance sharing stops and the case owner is told. What something else
    still permits goes on."""
    for journey in await _locked(session, referral_ids):
        if await permission.still_shares(session, journey):
            continue
        referral = journey.referral
        if referral.state in UNACCEPTED and Action.CANCEL in allowed(journey.situation(), {Role.SYSTEM}):
            await actions.act_for_system(session, journey, Action.CANCEL, reason)
        elif referral.sharing_stopped_at is None:
            referral.sharing_stopped_at = clock.now()
            await Step(session, journey, STOPPED, by=None, reason=reason).finish("SharingStopped")
