"""Every view of a case is built here, and depends on who asks."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.referral.cases import identity as sealed
from services.referral.cases.models import Assessment, Case, CaseMember
from services.referral.cases.schemas import AssessmentOut, CaseOut, CaseSummary
from shared.actor import Actor
from shared.http import Page


def summary(case: Case) -> CaseSummary:
    """What every organisation on the way may see."""
    return CaseSummary.model_validate(_coarse(case))


async def view(session: AsyncSession, actor: Actor, case: Case, *, with_identity: bool = False) -> CaseOut:
    """The case as the actor may see it. Only an owner who reads it sees identity: answers to changes are kept for
    replays of their Idempotency-Key, and must not hold any."""
    shown = _coarse(case)
    if case.owner_id != actor.org_id:
        return CaseOut.model_validate(shown)
    shown |= {"return_type": case.return_type, "open_referrals": case.open_referrals}
    if with_identity:
        opened = await sealed.open_case(session, case)
        shown |= {
            "reference": opened.reference,
            "external_refs": opened.external_refs,
            "identity": opened.identity,
            "members": [
                _coarse_member(member) | {"identity": opened.members.get(member.member_id)} for member in case.members
            ],
        }
    return CaseOut.model_validate(shown)


async def identity_for(
    session: AsyncSession,
    case: Case,
    fields: Collection[str],
    member_ids: Collection[UUID] | None = None,
) -> dict[str, Any]:
    """The named fields and no other: the returnee's at the top, those of the further members under `members`.

    `member_ids` limits it to these people; of a returnee who is not among them only the reference of the case is shown.
    Nothing once the case is erased.
    """
    opened = await sealed.open_case(session, case)
    concerned = [member for member in case.members if member_ids is None or member.member_id in member_ids]
    shown: dict[str, Any] = {}
    if "reference" in fields and opened.reference is not None:
        shown["reference"] = opened.reference
    further = []
    for member in concerned:
        told = sealed.told(opened.members.get(member.member_id))
        if member is case.members[0]:
            told |= sealed.told(opened.identity)
        disclosed = {name: value for name, value in told.items() if name in fields}
        if member is case.members[0]:
            shown |= disclosed
        elif disclosed:
            further.append({"member_id": str(member.member_id)} | disclosed)
    return shown | ({"members": further} if further else {})


async def assessment_view(
    session: AsyncSession, case: Case, assessment: Assessment, *, with_answers: bool = False
) -> AssessmentOut:
    """An assessment that `queries` let the actor see."""
    names = AssessmentOut.model_fields.keys() - {"answers"}
    shown = {name: getattr(assessment, name) for name in names}
    if with_answers:
        shown["answers"] = await sealed.open_answers(session, case, assessment)
    return AssessmentOut.model_validate(shown)


async def assessment_page_view(session: AsyncSession, case: Case, page: Page[Any]) -> Page[AssessmentOut]:
    shown = [await assessment_view(session, case, assessment) for assessment in page.items]
    return Page[AssessmentOut](items=shown, next=page.next)


async def page_view(session: AsyncSession, actor: Actor, page: Page[Any]) -> Page[CaseOut]:
    """A page without identity, which is read one case at a time."""
    return Page[CaseOut](items=[await view(session, actor, case) for case in page.items], next=page.next)


def _coarse(case: Case) -> dict[str, Any]:
    shown = {name: getattr(case, name) for name in CaseSummary.model_fields if name != "members"}
    return shown | {"members": [_coarse_member(member) for member in case.members]}


def _coarse_member(member: CaseMember) -> dict[str, Any]:
    return {"member_id": member.member_id, "sex": member.sex, "age_band": member.age_band}
