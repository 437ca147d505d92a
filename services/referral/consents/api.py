"""Consents and derogations over HTTP: for the owner of the case alone."""

from typing import Annotated, Any
from uuid import UUID

from services.referral.cases import queries as cases
from services.referral.cases.domain import CaseIsClosed, NotCaseOwner
from services.referral.consents import actions, queries, views
from services.referral.consents.domain import DerogationNotForPublicAuthority
from services.referral.consents.schemas import ConsentIn, ConsentOut, DerogationIn, DerogationOut
from shared.actor import Actor
from shared.errors import NotFound, PreconditionFailed, TransitionNotAllowed, Unprocessable
from shared.http import Expected, Page, PageRequest, Router, Transaction, needs, refusals

CasesReader = Annotated[Actor, needs("cases:read")]
CasesWriter = Annotated[Actor, needs("cases:write")]

router = Router(tags=["consents"])


@router.post(
    "/cases/{case_id}/consents",
    status_code=201,
    response_model=ConsentOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner, CaseIsClosed, Unprocessable),
)
async def give_consent(case_id: UUID, body: ConsentIn, session: Transaction, actor: CasesWriter) -> ConsentOut:
    """Record what the returnee agreed to. It is never the basis on which a public authority transfers her data."""
    return views.consent_view(await actions.give(session, actor, case_id, body))


@router.get(
    "/cases/{case_id}/consents",
    response_model=Page[ConsentOut],
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner),
)
async def list_consents(case_id: UUID, session: Transaction, actor: CasesReader, page: PageRequest) -> Page[Any]:
    """The consents of a case, withdrawn ones too."""
    case = await cases.get_owned(session, actor, case_id)
    return views.consent_page_view(await queries.page(session, case, page))


@router.get(
    "/cases/{case_id}/consents/{consent_id}",
    response_model=ConsentOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner),
)
async def read_consent(case_id: UUID, consent_id: UUID, session: Transaction, actor: CasesReader) -> ConsentOut:
    """One consent, with what proves it."""
    case = await cases.get_owned(session, actor, case_id)
    return await views.whole_consent_view(session, case, await queries.get(session, case, consent_id))


@router.post(
    "/cases/{case_id}/consents/{consent_id}/withdraw",
    response_model=ConsentOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner, PreconditionFailed, TransitionNotAllowed),
)
async def withdraw_consent(
    case_id: UUID, consent_id: UUID, session: Transaction, actor: CasesWriter, expected: Expected
) -> ConsentOut:
    """The returnee no longer agrees: sharing stops, and every receiver is told."""
    return views.consent_view(await actions.withdraw(session, actor, case_id, consent_id, expected))


@router.post(
    "/cases/{case_id}/derogations",
    status_code=201,
    response_model=DerogationOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner, CaseIsClosed, DerogationNotForPublicAuthority, Unprocessable),
)
async def record_derogation(
    case_id: UUID, body: DerogationIn, session: Transaction, actor: CasesWriter
) -> DerogationOut:
    """Record the ground of GDPR Art. 49 on which transfers to one recipient rest, where no agreement gives a basis."""
    return views.derogation_view(await actions.derogate(session, actor, case_id, body))


@router.get(
    "/cases/{case_id}/derogations",
    response_model=Page[DerogationOut],
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner),
)
async def list_derogations(case_id: UUID, session: Transaction, actor: CasesReader, page: PageRequest) -> Page[Any]:
    """The derogations of a case, those that have run out too."""
    case = await cases.get_owned(session, actor, case_id)
    return views.derogation_page_view(await queries.derogation_page(session, case, page))


@router.get(
    "/cases/{case_id}/derogations/{derogation_id}",
    response_model=DerogationOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner),
)
async def read_derogation(
    case_id: UUID, derogation_id: UUID, session: Transaction, actor: CasesReader
) -> DerogationOut:
    """One derogation, with its justification."""
    case = await cases.get_owned(session, actor, case_id)
    return await views.whole_derogation_view(session, case, await queries.get_derogation(session, case, derogation_id))
