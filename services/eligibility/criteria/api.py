"""Criteria sets over HTTP."""

from uuid import UUID

from services.eligibility.access import Evaluator, Validator, Writer
from services.eligibility.criteria import actions, queries
from services.eligibility.criteria.models import CriteriaSet
from services.eligibility.criteria.schemas import CriteriaIn, CriteriaOut, ValidateIn
from shared.errors import NotFound, PreconditionFailed, PreconditionRequired, TransitionNotAllowed, Unprocessable
from shared.http import Expected, Page, PageRequest, Router, Transaction, page_of, refusals

router = Router(tags=["criteria"])

ACTING = refusals(NotFound, TransitionNotAllowed, PreconditionFailed, PreconditionRequired)


@router.put(
    "/services/{service_id}/criteria",
    status_code=201,
    response_model=CriteriaOut,
    responses=refusals(NotFound, Unprocessable),
)
async def write(service_id: UUID, body: CriteriaIn, session: Transaction, actor: Writer) -> CriteriaSet:
    """Write a new version of the criteria of a service, as a draft: it binds nobody until it is validated."""
    return await actions.write(session, actor, service_id, body)


@router.get(
    "/services/{service_id}/criteria",
    response_model=Page[CriteriaOut],
)
async def list_versions(
    service_id: UUID, session: Transaction, actor: Evaluator, page: PageRequest
) -> Page[CriteriaSet]:
    """All versions of the criteria of a service, the oldest first; drafts only for those whose they are."""
    query = await queries.readable(session, actor, service_id)
    return await page_of(session, query, page, by=(CriteriaSet.criteria_version,))


@router.get(
    "/services/{service_id}/criteria/{criteria_version}",
    response_model=CriteriaOut,
    responses=refusals(NotFound),
)
async def get_version(service_id: UUID, criteria_version: int, session: Transaction, actor: Evaluator) -> CriteriaSet:
    """One version of the criteria of a service."""
    return await queries.get_set(session, actor, service_id, criteria_version)


@router.post(
    "/services/{service_id}/criteria/{criteria_version}/validate",
    response_model=CriteriaOut,
    responses=ACTING | refusals(Unprocessable),
)
async def validate(
    service_id: UUID,
    criteria_version: int,
    session: Transaction,
    actor: Validator,
    expected: Expected,
    body: ValidateIn | None = None,
) -> CriteriaSet:
    """Let a draft bind from a day on. The set that is in force then ends on that day."""
    return await actions.validate(session, actor, service_id, criteria_version, expected, body or ValidateIn())


@router.post(
    "/services/{service_id}/criteria/{criteria_version}/retire",
    response_model=CriteriaOut,
    responses=ACTING,
)
async def retire(
    service_id: UUID, criteria_version: int, session: Transaction, actor: Validator, expected: Expected
) -> CriteriaSet:
    """Let a validated set bind no longer, from today on."""
    return await actions.retire(session, actor, service_id, criteria_version, expected)
