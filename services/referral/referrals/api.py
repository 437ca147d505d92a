"""Referrals over HTTP. The routes of the actions are those of the transition table."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime

from services.referral.cases.domain import CaseIsClosed, NotCaseOwner
from services.referral.referrals import actions, queries, views
from services.referral.referrals.domain import Action, Role, Status, TaskState
from services.referral.referrals.journey import CREATE, RESPOND
from services.referral.referrals.queries import Box
from services.referral.referrals.schemas import BODIES, HistoryOut, ReferralIn, ReferralOut, ReferralSummary
from services.referral.referrals.transitions import TRANSITIONS, Move, NotYourPart
from services.referral.routing.refusals import REFUSALS
from shared.actor import Actor
from shared.errors import (
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    TransitionNotAllowed,
    Unprocessable,
)
from shared.http import KEY_REQUIRED, Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals

READ = "referrals:read"
ReferralsReader = Annotated[Actor, needs(READ)]
ReferralsCreator = Annotated[Actor, needs(CREATE)]
ReferralsResponder = Annotated[Actor, needs(RESPOND)]

router = Router(tags=["referrals"])
_LEG: list[type[Problem]] = [problem for problem, _ in REFUSALS]
_CHANGE: list[type[Problem]] = [
    NotFound, NotYourPart, TransitionNotAllowed, PreconditionFailed, PreconditionRequired, Unprocessable,
]  # fmt: skip
_TRAVELS = frozenset({Action.SUBMIT, Action.PASS_ON})


@router.post(
    "/referrals",
    status_code=201,
    response_model=ReferralOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound, NotCaseOwner, CaseIsClosed, *_LEG, Unprocessable),
    openapi_extra=KEY_REQUIRED,
)
async def create_referral(body: ReferralIn, session: Transaction, actor: ReferralsCreator) -> ReferralOut:
    """Refer a case of one's own to a service: sent at once, or refused with what stands in the way."""
    return await views.view(session, actor, await actions.create(session, actor, body))


@router.get("/referrals", response_model=Page[ReferralSummary])
async def list_referrals(
    session: Transaction,
    actor: ReferralsReader,
    page: PageRequest,
    box: Annotated[Box | None, Query(description="inbox: received, outbox: sent")] = None,
    status: Annotated[
        list[Status | TaskState] | None,
        Query(description="As one sees it: a part that has ended has a state of its own"),
    ] = None,
    changed_after: Annotated[AwareDatetime | None, Query(description="Ordered by change, then")] = None,
) -> Page[ReferralSummary]:
    """The referrals that one's organisation sent or received."""
    found = await queries.page(session, actor, page, box=box, statuses=status or [], changed_after=changed_after)
    return await views.page_view(session, actor, found)


@router.get(
    "/referrals/{referral_id}",
    response_model=ReferralOut,
    response_model_exclude_unset=True,
    responses=refusals(NotFound),
)
async def read_referral(referral_id: UUID, session: Transaction, actor: ReferralsReader) -> ReferralOut:
    """One referral as one's part in it lets one see it: for the provider that accepted, with the agreed identity."""
    return await views.view(session, actor, await queries.get(session, actor, referral_id), with_identity=True)


@router.patch(
    "/referrals/{referral_id}",
    response_model=ReferralOut,
    response_model_exclude_unset=True,
    responses=refusals(*_CHANGE),
)
async def change_draft(
    referral_id: UUID, body: MergePatch, session: Transaction, actor: ReferralsCreator, expected: Expected
) -> ReferralOut:
    """Edit a draft. What was sent changes by actions only."""
    return await views.view(session, actor, await actions.change_draft(session, actor, referral_id, expected, body))


@router.delete("/referrals/{referral_id}", status_code=204, response_class=Response, responses=refusals(*_CHANGE))
async def delete_draft(referral_id: UUID, session: Transaction, actor: ReferralsCreator, expected: Expected) -> None:
    """Throw a draft away. What was sent is cancelled or entered in error instead."""
    await actions.delete_draft(session, actor, referral_id, expected)


@router.get("/referrals/{referral_id}/history", response_model=Page[HistoryOut], responses=refusals(NotFound))
async def read_history(
    referral_id: UUID, session: Transaction, actor: ReferralsReader, page: PageRequest
) -> Page[HistoryOut]:
    """What happened, in order: all for the case owner, for others what concerned their part and the way to it."""
    journey = await queries.get(session, actor, referral_id)
    visible = [task.task_id for task in views.visible_tasks(actor, journey)]
    entries = await queries.history_page(session, actor, journey, visible, page)
    return await views.history_view(session, actor, journey, entries)


def _who(move: Move) -> Any:
    """Who may call it. What both sides may do needs the right to read; the scope of a side is asked of its role."""
    roles = {right.role for right in move.by} - {Role.SYSTEM}
    if roles == {Role.OWNER}:
        return ReferralsCreator
    return ReferralsReader if Role.OWNER in roles else ReferralsResponder


def _offer(action: Action, move: Move) -> None:
    """One route for one row of the table."""
    schema = BODIES[action]
    optional = not any(field.is_required() for field in schema.model_fields.values())

    async def endpoint(
        referral_id: UUID, session: Transaction, actor: Any, expected: Expected, body: Any = None
    ) -> ReferralOut:
        given = schema() if body is None else body
        journey = await actions.act(session, actor, referral_id, action, expected, given)
        return await views.view(session, actor, journey)

    # The types that FastAPI reads are those of this action.
    endpoint.__annotations__ |= {"actor": _who(move), "body": schema | None if optional else schema}
    endpoint.__name__, endpoint.__doc__ = action.value, move.does
    if not optional:
        endpoint.__defaults__ = None
    router.post(
        f"/referrals/{{referral_id}}/{action.value}",
        response_model=ReferralOut,
        response_model_exclude_unset=True,
        responses=refusals(*_CHANGE, *(_LEG if action in _TRAVELS else [])),
    )(endpoint)


for _action, _move in TRANSITIONS.items():
    if _action in BODIES:
        _offer(_action, _move)
