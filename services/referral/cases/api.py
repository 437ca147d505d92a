"""Cases over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from services.referral.cases import actions, queries, views
from services.referral.cases.domain import CaseIsClosed, NotArrived, NotCaseOwner, Phase, ReferralsOpen
from services.referral.cases.schemas import (
    ArriveIn,
    AssessmentIn,
    AssessmentOut,
    CaseIn,
    CaseOut,
    DepartIn,
    ReferenceIn,
)
from shared.actor import Actor
from shared.errors import NotFound, PreconditionFailed, TransitionNotAllowed, Unprocessable
from shared.http import KEY_REQUIRED, Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals

CasesReader = Annotated[Actor, needs("cases:read")]
CasesWriter = Annotated[Actor, needs("cases:write")]
_ACTION = refusals(NotFound, NotCaseOwner, PreconditionFailed, TransitionNotAllowed, ReferralsOpen)

router = Router(tags=["cases"])


@router.post(
    "/cases",
    status_code=201,
    response_model=CaseOut,
    response_model_exclude_unset=True,
    responses=refusals(Unprocessable),
    openapi_extra=KEY_REQUIRED,
)
async def register(body: CaseIn, session: Transaction, actor: CasesWriter) -> CaseOut:
    """Register one return of one person or family; one's own organisation becomes the case owner."""
    return await views.view(session, actor, await actions.register(session, actor, body))


@router.post("/cases/find", response_model=Page[CaseOut], response_model_exclude_unset=True)
async def find_cases(body: ReferenceIn, session: Transaction, actor: CasesReader) -> Page[Any]:
    """One's own cases under one's own reference: asked for in a body, because a reference is identity."""
    return await views.page_view(session, actor, await queries.find_by_reference(session, actor, body.reference))


@router.get("/cases", response_model=Page[CaseOut], response_model_exclude_unset=True)
async def list_cases(
    session: Transaction, actor: CasesReader, page: PageRequest, phase: Phase | None = None
) -> Page[Any]:
    """The cases of one's own organisation, without identity."""
    return await views.page_view(session, actor, await queries.page(session, actor, page, phase))


@router.get("/cases/{case_id}", response_model=CaseOut, response_model_exclude_unset=True, responses=refusals(NotFound))
async def read_case(case_id: UUID, session: Transaction, actor: CasesReader) -> CaseOut:
    """One case: with identity for its owner, by its coarse attributes for whoever received a referral of it."""
    case = await queries.get(session, actor, case_id)
    return await views.view(session, actor, case, with_identity=True)


@router.patch(
    "/cases/{case_id}",
    response_model=CaseOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner, PreconditionFailed, CaseIsClosed, ReferralsOpen, Unprocessable),
)
async def change_case(
    case_id: UUID, body: MergePatch, session: Transaction, actor: CasesWriter, expected: Expected
) -> CaseOut:
    """Change travel dates, coarse attributes, members or identity; `members` is replaced as a whole."""
    return await views.view(session, actor, await actions.change(session, actor, case_id, expected, body))


@router.post("/cases/{case_id}/depart", response_model=CaseOut, response_model_exclude_unset=True, responses=_ACTION)
async def depart(
    case_id: UUID, session: Transaction, actor: CasesWriter, expected: Expected, body: DepartIn | None = None
) -> CaseOut:
    """The returnee is on the way."""
    return await views.view(session, actor, await actions.depart(session, actor, case_id, expected, body or DepartIn()))


@router.post("/cases/{case_id}/arrive", response_model=CaseOut, response_model_exclude_unset=True, responses=_ACTION)
async def arrive(
    case_id: UUID, body: ArriveIn, session: Transaction, actor: CasesWriter, expected: Expected
) -> CaseOut:
    """Confirm the arrival: the case owner, or an organisation with a part in one of its open referrals."""
    return await views.view(session, actor, await actions.arrive(session, actor, case_id, expected, body))


@router.post(
    "/cases/{case_id}/cancel_return", response_model=CaseOut, response_model_exclude_unset=True, responses=_ACTION
)
async def cancel_return(case_id: UUID, session: Transaction, actor: CasesWriter, expected: Expected) -> CaseOut:
    """The return does not take place: what has not started is cancelled, and the case is closed."""
    return await views.view(session, actor, await actions.cancel_return(session, actor, case_id, expected))


@router.post("/cases/{case_id}/close", response_model=CaseOut, response_model_exclude_unset=True, responses=_ACTION)
async def close(case_id: UUID, session: Transaction, actor: CasesWriter, expected: Expected) -> CaseOut:
    """Nothing more is done in this case; refused while one of its referrals is open."""
    return await views.view(session, actor, await actions.close(session, actor, case_id, expected))


@router.post("/cases/{case_id}/erase", response_model=CaseOut, response_model_exclude_unset=True, responses=_ACTION)
async def erase(case_id: UUID, session: Transaction, actor: CasesWriter, expected: Expected) -> CaseOut:
    """Destroy the key of the case: nobody can read who she was again. Refused while one of its referrals is open."""
    return await views.view(session, actor, await actions.erase(session, actor, case_id, expected))


@router.post(
    "/cases/{case_id}/assessments",
    status_code=201,
    response_model=AssessmentOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, CaseIsClosed, NotArrived, Unprocessable),
)
async def assess(case_id: UUID, body: AssessmentIn, session: Transaction, actor: CasesWriter) -> AssessmentOut:
    """Record an assessment; the latest vulnerability screening orders waiting lists.

    The case owner does, and after the arrival an organisation with a part in one of its open referrals.
    """
    return await views.assessment_view(session, *await actions.assess(session, actor, case_id, body))


@router.get(
    "/cases/{case_id}/assessments",
    response_model=Page[AssessmentOut],
    response_model_exclude_unset=True,
    responses=refusals(NotFound),
)
async def list_assessments(case_id: UUID, session: Transaction, actor: CasesReader, page: PageRequest) -> Page[Any]:
    """The assessments of a case: all for its owner, their own for others; without answers."""
    case = await queries.get(session, actor, case_id)
    return await views.assessment_page_view(session, case, await queries.assessment_page(session, actor, case, page))


@router.get(
    "/cases/{case_id}/assessments/{assessment_id}",
    response_model=AssessmentOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound),
)
async def read_assessment(
    case_id: UUID, assessment_id: UUID, session: Transaction, actor: CasesReader
) -> AssessmentOut:
    """One assessment, with its answers."""
    case = await queries.get(session, actor, case_id)
    assessment = await queries.get_assessment(session, actor, case, assessment_id)
    return await views.assessment_view(session, case, assessment, with_answers=True)
