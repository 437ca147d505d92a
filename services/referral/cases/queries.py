"""Finding cases: who may see one is decided here and nowhere else, over the table of its parties."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, false, func, select
from sqlalchemy.dialects.postgresql import UUID as PgUuid  # noqa: N811  # Python's own has the name
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from services.referral.cases.domain import VULNERABLE, NotCaseOwner, Phase, comparable_name
from services.referral.cases.models import OWNER, RECEIVER, Assessment, Case, CaseMember, CaseParty
from shared.actor import Actor
from shared.crypto import CaseKeys, case_keys
from shared.errors import NotFound
from shared.http import Page, PageRequest, page_of
from shared.questions import Answers, Question, as_read, ask, columns_of


def _cases() -> Select[Case]:
    return select(Case).options(selectinload(Case.members))


def _visible_to(organization_id: Any, *as_what: ColumnElement[bool]) -> Select[Case]:
    """The cases that the organisation of whoever asks owns, or has a part in by a referral."""
    return _cases().where(_is_party(organization_id, *as_what))


def _is_party(organization_id: Any, *as_what: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(CaseParty.case_id == Case.case_id, CaseParty.organization_id == organization_id, *as_what)


def _locked(statement: Select[Case]) -> Select[Case]:
    """The first lock of every action on a case or its referrals; what another transaction changed meanwhile is read."""
    return statement.with_for_update(of=Case).execution_options(populate_existing=True)


_THIS: Any = bindparam("case_id", type_=PgUuid())
_LOCKED_ALONE = _locked(select(Case).where(_is_party(bindparam("asker_id", type_=PgUuid())), Case.case_id == _THIS))
"""Made once: it begins every referral."""


async def _one(session: AsyncSession, statement: Select[Case]) -> Case:
    case = (await session.scalars(statement)).one_or_none()
    if case is None:
        raise NotFound
    return case


async def get(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """A case the actor may see, with its members."""
    return await _one(session, _visible_to(actor.org_id).where(Case.case_id == case_id))


async def get_judged(session: AsyncSession, case_id: UUID) -> Case:
    """A case, whoever asks: for modules that have judged the actor by their own records."""
    return await _one(session, _cases().where(Case.case_id == case_id))


async def get_for_update(session: AsyncSession, case_id: UUID) -> Case:
    """The same under its row lock."""
    return await _one(session, _locked(_cases().where(Case.case_id == case_id)))


async def get_owned(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """A case of the actor's own organisation; NotCaseOwner if it may see the case without owning it."""
    return _owned_by(actor, await get(session, actor, case_id))


async def get_acting_for_update(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """A case in which the actor may do something: its own, or one with an open referral in which it has a part."""
    acting = CaseParty.role.in_((OWNER, RECEIVER))
    return await _one(session, _locked(_visible_to(actor.org_id, acting).where(Case.case_id == case_id)))


async def get_visible_for_update(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    return await _one(session, _locked(_visible_to(actor.org_id).where(Case.case_id == case_id)))


async def get_owned_for_update(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    return _owned_by(actor, await get_visible_for_update(session, actor, case_id))


async def lock_owned(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """The same without its members, which are to be asked for with other things (`MEMBERS`, `with_members`)."""
    found = await session.scalars(_LOCKED_ALONE, {"asker_id": actor.org_id, "case_id": case_id})
    if (case := found.one_or_none()) is None:
        raise NotFound
    return _owned_by(actor, case)


@dataclass(frozen=True)
class MemberRead:
    """The columns of a member that hold no identity."""

    member_id: UUID
    case_id: UUID
    position: int
    sex: str
    age_band: str


MEMBERS = Question(
    select(*columns_of(CaseMember, MemberRead)).where(CaseMember.case_id == _THIS).order_by(CaseMember.position),
    MemberRead,
)


def with_members(session: AsyncSession, case: Case, answers: Answers) -> None:
    """Fill in the members of a case that was read without them."""
    members = [as_read(session, CaseMember, vars(each)) for each in answers.to(MEMBERS)]
    set_committed_value(case, "members", members)


def _owned_by(actor: Actor, case: Case) -> Case:
    if case.owner_id != actor.org_id:
        raise NotCaseOwner
    return case


async def page(session: AsyncSession, actor: Actor, request: PageRequest, phase: Phase | None) -> Page[Any]:
    """The cases that the actor's organisation owns, in the order of their registration."""
    owned = _cases().where(Case.owner_id == actor.org_id)
    if phase is not None:
        owned = owned.where(Case.phase == phase)
    return await page_of(session, owned, request, by=(Case.case_id,))


def reference_index(keys: CaseKeys, owner_id: UUID, reference: str) -> bytes:
    """Equal for equal references of one organisation only, so that no two can be compared across organisations."""
    return keys.blind(" ".join(reference.split()).casefold(), f"reference|{owner_id}")


def returnee_index(keys: CaseKeys, name: str, born_on: date) -> bytes | None:
    """Equal for one name, however it is written, and one birth date, whosever the case is; None for no name at all."""
    comparable = comparable_name(name)
    return keys.blind(f"{comparable}|{born_on.isoformat()}", "returnee") if comparable else None


async def find_by_reference(session: AsyncSession, actor: Actor, reference: str) -> Page[Any]:
    """The organisation's own cases under this reference, the oldest first. Erased cases are no longer found."""
    index = reference_index(case_keys(session), actor.org_id, reference)
    owned = _cases().where(Case.owner_id == actor.org_id, Case.reference_index == index)
    return Page(items=list(await session.scalars(owned.order_by(Case.case_id).limit(200))))


@dataclass(frozen=True)
class Signs:
    """What is known of a returnee besides her case.

    `known_elsewhere`: another organisation has an open case of somebody with her name and birth date, perhaps of her.
    `vulnerable`: so her latest vulnerability screening found; nobody screened counts as not screened, and so as False.
    """

    known_elsewhere: bool
    vulnerable: bool


_this, _other = aliased(Case), aliased(Case)
_screening = (
    select(Assessment.result)
    .where(Assessment.case_id == _THIS, Assessment.kind == "vulnerability")
    .order_by(Assessment.assessed_on.desc(), Assessment.assessment_id.desc())
    .limit(1)
)
SIGNS = Question(
    select(
        exists()
        .where(
            _this.case_id == _THIS,
            _other.returnee_index == _this.returnee_index,
            _other.owner_id != _this.owner_id,
            _other.phase != Phase.CLOSED,
        )
        .label("known_elsewhere"),
        func.coalesce(_screening.scalar_subquery() == VULNERABLE, false()).label("vulnerable"),
    ),
    Signs,
)


async def is_vulnerable(session: AsyncSession, case_id: UUID) -> bool:
    return (await ask(session, SIGNS, case_id=case_id)).one(SIGNS).vulnerable


def _assessments_for(actor: Actor, case: Case) -> Select[Assessment]:
    """The owner sees all assessments of a case, everybody else those of their own organisation."""
    statement = select(Assessment).where(Assessment.case_id == case.case_id)
    return statement if case.owner_id == actor.org_id else statement.where(Assessment.recorded_by == actor.org_id)


async def get_assessment(session: AsyncSession, actor: Actor, case: Case, assessment_id: UUID) -> Assessment:
    statement = _assessments_for(actor, case).where(Assessment.assessment_id == assessment_id)
    assessment = (await session.scalars(statement)).one_or_none()
    if assessment is None:
        raise NotFound
    return assessment


async def assessment_page(session: AsyncSession, actor: Actor, case: Case, request: PageRequest) -> Page[Any]:
    return await page_of(session, _assessments_for(actor, case), request, by=(Assessment.assessment_id,))
