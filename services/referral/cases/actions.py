"""What can be done with a case. Every action: load under lock, decide, change, publish."""

from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import domain, identity, members, queries
from services.referral.cases.domain import CaseAction, CaseIsClosed, NotArrived, Phase, ReferralsOpen
from services.referral.cases.models import OWNER, READER, RECEIVER, Assessment, Case, CaseMember, CaseParty
from services.referral.cases.schemas import (
    ArriveIn,
    AssessmentIn,
    CaseChange,
    CaseIn,
    DepartIn,
    MemberChange,
)
from services.referral.known import queries as known
from services.referral.tables import Base
from shared import clock, outbox, writes
from shared.actor import Actor
from shared.crypto import case_keys
from shared.errors import Unprocessable, invalid
from shared.events.referral import (
    AssessmentRecorded,
    CaseArrived,
    CaseChanged,
    CaseClosed,
    CaseDeparted,
    CaseErased,
    CaseRegistered,
    CoarseMember,
    ReturnCancelled,
)
from shared.http import expect, patched
from shared.ids import new_id

PARTIES = Base.metadata.tables[CaseParty.__tablename__]
NOT_THE_OWNER = f"case_parties.role <> '{OWNER}'"

CaseState = TypeVar("CaseState", CaseRegistered, CaseChanged, CaseDeparted, CaseArrived, ReturnCancelled, CaseClosed)


async def register(session: AsyncSession, actor: Actor, body: CaseIn) -> Case:
    """A new case, owned by the actor's organisation, with a key of its own; CaseRegistered is said."""
    today = clock.today()
    walked_in = body.origin == "hub"
    domain.check_travel(body.planned_departure_on, body.planned_arrival_on, body.arrival_certainty, walked_in=walked_in)
    _check_walk_in(body, today)
    case = Case(
        case_id=new_id(),
        version=1,
        owner_id=actor.org_id,
        member_state=await _member_state(session, actor, body),
        phase=Phase.ARRIVED if walked_in else Phase.PRE_DEPARTURE,
        arrived_on=body.arrived_on,
        open_referrals=0,
        members=[],
        **body.model_dump(
            include={
                "country_of_origin",
                "area",
                "return_type",
                "origin",
                "planned_departure_on",
                "planned_arrival_on",
                "arrival_certainty",
            }
        ),
    )
    keys = case_keys(session)
    cipher = await keys.create(case.case_id)
    identity.seal_case(keys, cipher, case, body.reference, body.external_refs, body.identity)
    members.check_returnee_once(body.identity, body.members[0].identity)
    for position, member in enumerate(body.members):
        members.fill(cipher, case, CaseMember(member_id=new_id()), position, member, body.identity, None)
    identity.index_returnee(keys, case, body.identity, body.members[0].identity)
    session.add_all([case, CaseParty(case_id=case.case_id, organization_id=actor.org_id, role=OWNER)])
    await session.flush()
    await outbox.publish(session, _state(CaseRegistered, case))
    return case


def _check_walk_in(body: CaseIn, today: date) -> None:
    if body.arrived_on is None:
        return
    if body.origin != "hub":
        detail = "is told only of somebody who walked in; otherwise the arrival is confirmed when it happened"
        raise Unprocessable(errors=[invalid("/arrived_on", detail, "not_arrived")])
    domain.check_arrival(body.arrived_on, None, today)


async def _member_state(session: AsyncSession, actor: Actor, body: CaseIn) -> str:
    """Whence the return: a sender that speaks for a country speaks for that one alone."""
    if body.origin == "sender":
        own = actor.country
        if own is None:
            organization = await known.get_organization(session, actor.org_id)
            own = organization.country if organization and organization.kind == "public_authority" else None
        if own is not None:
            if body.member_state not in (None, own):
                raise Unprocessable(errors=[invalid("/member_state", "is not the sender's own country", "not_yours")])
            return own
    return body.member_state or domain.UNKNOWN_MEMBER_STATE


async def change(session: AsyncSession, actor: Actor, case_id: UUID, expected: int, patch: dict[str, object]) -> Case:
    """The owner's case as patched; CaseChanged is said."""
    case = await queries.get_owned_for_update(session, actor, case_id)
    expect(case, expected)
    if case.is_closed:
        raise CaseIsClosed
    opened = await identity.open_case(session, case)
    wanted = patched(CaseChange, _as_change(case, opened), patch)
    domain.check_travel(
        wanted.planned_departure_on, wanted.planned_arrival_on, wanted.arrival_certainty, walked_in=case.walked_in
    )
    if wanted.country_of_origin != case.country_of_origin and case.open_referrals:
        raise ReferralsOpen(open_referrals=case.open_referrals)
    for name in ("country_of_origin", "area", "return_type"):
        setattr(case, name, getattr(wanted, name))
    case.planned_departure_on, case.planned_arrival_on = wanted.planned_departure_on, wanted.planned_arrival_on
    case.arrival_certainty = wanted.arrival_certainty
    keys = case_keys(session)
    cipher = await keys.cipher(case.case_id)
    of_returnee = members.change(cipher, case, wanted, opened)
    identity.seal_case(keys, cipher, case, wanted.reference, wanted.external_refs, wanted.identity)
    identity.index_returnee(keys, case, wanted.identity, of_returnee)
    return await _changed(session, case, CaseChanged)


def _as_change(case: Case, opened: identity.Opened) -> CaseChange:
    return CaseChange.model_validate(
        {
            **{name: getattr(case, name) for name in CaseChange.model_fields.keys() & Case.__table__.columns.keys()},
            "reference": opened.reference,
            "external_refs": opened.external_refs,
            "identity": opened.identity,
            "members": [
                MemberChange.model_validate(
                    {
                        "member_id": member.member_id,
                        "sex": member.sex,
                        "identity": opened.members.get(member.member_id),
                    }
                )
                for member in case.members
            ],
        }
    )


async def depart(session: AsyncSession, actor: Actor, case_id: UUID, expected: int, body: DepartIn) -> Case:
    """The returnee is on the way; CaseDeparted is said."""
    case, phase = await _decided(session, actor, case_id, expected, CaseAction.DEPART)
    case.departed_on = body.departed_on or clock.today()
    domain.check_departure(case.departed_on, clock.today())
    case.phase = phase
    return await _changed(session, case, CaseDeparted)


async def arrive(session: AsyncSession, actor: Actor, case_id: UUID, expected: int, body: ArriveIn) -> Case:
    """The arrival is confirmed, by the owner or by whoever has a part in an open referral; CaseArrived is said."""
    case = await queries.get_acting_for_update(session, actor, case_id)
    expect(case, expected)
    phase = _decide(case, CaseAction.ARRIVE)
    domain.check_arrival(body.arrived_on, case.departed_on or case.planned_departure_on, clock.today())
    case.phase, case.arrived_on = phase, body.arrived_on
    return await _changed(session, case, CaseArrived)


async def cancel_return(session: AsyncSession, actor: Actor, case_id: UUID, expected: int) -> Case:
    """The return does not take place; ReturnCancelled is said, upon which what has not started is cancelled."""
    case, phase = await _decided(session, actor, case_id, expected, CaseAction.CANCEL_RETURN)
    case.phase, case.closed_at = phase, clock.now()
    return await _changed(session, case, ReturnCancelled)


async def close(session: AsyncSession, actor: Actor, case_id: UUID, expected: int) -> Case:
    """Nothing more is done in this case; CaseClosed is said."""
    case, phase = await _decided(session, actor, case_id, expected, CaseAction.CLOSE)
    case.phase, case.closed_at = phase, clock.now()
    return await _changed(session, case, CaseClosed)


async def erase(session: AsyncSession, actor: Actor, case_id: UUID, expected: int) -> Case:
    """Identity and assessments are gone and the key of the case is destroyed; what stays is tied to nobody."""
    case, phase = await _decided(session, actor, case_id, expected, CaseAction.ERASE)
    case.phase, case.erased_at = phase, clock.now()
    case.closed_at = case.closed_at or case.erased_at
    identity.wipe(case)
    case.touch()
    await session.execute(delete(Assessment).where(Assessment.case_id == case.case_id))
    await outbox.publish(session, CaseErased(version=case.version, case_id=case.case_id, occurred_at=case.erased_at))
    await session.flush()
    await case_keys(session).destroy(case.case_id)  # last, because no rollback brings a key back
    return case


async def assess(session: AsyncSession, actor: Actor, case_id: UUID, body: AssessmentIn) -> tuple[Case, Assessment]:
    """A dated assessment, by the owner at any time or by whoever has a part in an open referral after the return."""
    case = await queries.get_acting_for_update(session, actor, case_id)
    if case.is_closed:
        raise CaseIsClosed
    if case.owner_id != actor.org_id and not case.has_arrived:
        raise NotArrived
    assessed_on = body.assessed_on or clock.today()
    domain.check_assessment(body.kind, body.result, assessed_on, clock.today())
    assessment = Assessment(
        assessment_id=new_id(),
        case_id=case.case_id,
        kind=body.kind,
        phase=body.phase or case.phase,
        result=body.result,
        assessed_on=assessed_on,
        recorded_by=actor.org_id,
        recorded_at=clock.now(),
    )
    identity.seal_answers(await case_keys(session).cipher(case.case_id), assessment, body.answers)
    session.add(assessment)
    case.touch()
    await session.flush()
    await outbox.publish(
        session,
        AssessmentRecorded(
            version=case.version,
            case_id=case.case_id,
            occurred_at=assessment.recorded_at,
            assessment_id=assessment.assessment_id,
            kind=assessment.kind,
            phase=assessment.phase,
        ),
    )
    return case, assessment


async def first_contact(session: AsyncSession, case: Case) -> None:
    """With the first contact or the first service that starts, an arrived case is in its post-arrival phase.

    The caller holds the lock of the case. Changes and says nothing in any other phase.
    """
    phase = domain.after_first_contact(Phase(case.phase))
    if phase != case.phase:
        case.phase = phase
        await _changed(session, case, CaseChanged)


async def admit(session: AsyncSession, case_id: UUID, organization_id: UUID, *, acts: bool = True) -> None:
    """Let an organisation that has a part in a referral of the case see it, and act in it while that referral is open;
    the owner stays the owner."""
    row = {"case_id": case_id, "organization_id": organization_id, "role": RECEIVER if acts else READER}
    writes.upsert(session, PARTIES, row, only=NOT_THE_OWNER)


async def leave(session: AsyncSession, case_id: UUID, organization_id: UUID) -> None:
    """An organisation without a part in any referral of the case sees it no more; the owner stays the owner."""
    key = {"case_id": case_id, "organization_id": organization_id}
    writes.delete(session, PARTIES, key, only=NOT_THE_OWNER)


async def _decided(
    session: AsyncSession, actor: Actor, case_id: UUID, expected: int, action: CaseAction
) -> tuple[Case, Phase]:
    """The owner's case under lock, and the phase the action leads to."""
    case = await queries.get_owned_for_update(session, actor, case_id)
    expect(case, expected)
    return case, _decide(case, action)


def _decide(case: Case, action: CaseAction) -> Phase:
    return domain.decide(
        action, Phase(case.phase), erased=case.erased_at is not None, open_referrals=case.open_referrals
    )


async def _changed(session: AsyncSession, case: Case, said: type[CaseState]) -> Case:
    case.touch()
    await session.flush()
    await outbox.publish(session, _state(said, case))
    return case


def _state(said: type[CaseState], case: Case) -> CaseState:
    """An event with the coarse attributes of the case."""
    coarse = [CoarseMember(member_id=each.member_id, sex=each.sex, age_band=each.age_band) for each in case.members]
    told = {name: getattr(case, name) for name in said.model_fields if name not in ("members", "occurred_at")}
    return said.model_validate(told | {"members": coarse, "occurred_at": case.changed_at})
