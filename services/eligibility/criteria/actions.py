"""Writing, validating and retiring criteria sets."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.access import VALIDATES
from services.eligibility.criteria import queries
from services.eligibility.criteria.domain import Status, Validity, read_set, windows
from services.eligibility.criteria.models import CriteriaSet, ServiceCriteria
from services.eligibility.criteria.schemas import CriteriaIn, ValidateIn
from services.eligibility.known.queries import find_service
from shared import clock, outbox
from shared.actor import Actor
from shared.errors import NotFound, TransitionNotAllowed, Unprocessable, invalid
from shared.events.eligibility import CriteriaRetired, CriteriaValidated
from shared.http import expect
from shared.ids import new_id

ALLOWED = {Status.DRAFT: ["validate"], Status.VALIDATED: ["retire"], Status.RETIRED: []}


async def write(session: AsyncSession, actor: Actor, service_id: UUID, body: CriteriaIn) -> CriteriaSet:
    """A new draft. Writing what the latest draft already says gives that one back: PUT is idempotent."""
    await _require_may_write(session, actor, service_id)
    criteria = _checked(body)
    await session.execute(_head_if_new(service_id))
    head, sets = await queries.get_locked(session, service_id)
    if sets and _says(sets[-1], actor, criteria, body.source):
        return sets[-1]
    head.latest += 1
    head.touch()
    draft = CriteriaSet(
        criteria_set_id=new_id(),
        service_id=service_id,
        criteria_version=head.latest,
        organization_id=actor.org_id,
        status=Status.DRAFT,
        criteria=criteria,
        source=body.source,
        version=1,
        created_at=clock.now(),
        changed_at=clock.now(),
    )
    session.add(draft)
    await session.flush()
    return draft


async def validate(
    session: AsyncSession, actor: Actor, service_id: UUID, criteria_version: int, expected: int, body: ValidateIn
) -> CriteriaSet:
    """The set binds from `valid_from`; the one in force ends on that day. What bound on days that have passed stays."""
    head, sets = await queries.get_locked(session, service_id)
    chosen = _seen_in_state(sets, criteria_version, expected, Status.DRAFT)
    valid_from = body.valid_from or clock.today()
    _require_not_answered(sets, valid_from)
    chosen.status = Status.VALIDATED
    chosen.validated_by, chosen.validated_at = actor.org_id, clock.now()
    chosen.valid_from = valid_from
    chosen.touch()
    _set_windows(sets)
    head.touch()
    await outbox.publish(
        session,
        CriteriaValidated(
            service_id=service_id,
            version=head.version,
            criteria_version=criteria_version,
            valid_from=valid_from,
            validated_by=actor.org_id,
            open_to_all=not chosen.criteria,
        ),
    )
    return chosen


async def retire(
    session: AsyncSession, actor: Actor, service_id: UUID, criteria_version: int, expected: int
) -> CriteriaSet:
    """The set no longer binds from today on; until another is validated the service needs information."""
    head, sets = await queries.get_locked(session, service_id)
    chosen = _seen_in_state(sets, criteria_version, expected, Status.VALIDATED)
    chosen.status = Status.RETIRED
    chosen.retired_on = clock.today()
    chosen.touch()
    _set_windows(sets)
    head.touch()
    retired = CriteriaRetired(service_id=service_id, version=head.version, criteria_version=criteria_version)
    await outbox.publish(session, retired)
    return chosen


async def _require_may_write(session: AsyncSession, actor: Actor, service_id: UUID) -> None:
    """The organisation of a published service writes its criteria; who validates writes for leads and others too."""
    service = await find_service(session, service_id)
    if not actor.may(VALIDATES) and (service is None or service.organization_id != actor.org_id):
        raise NotFound


def _checked(body: CriteriaIn) -> list[dict[str, Any]]:
    """The criteria as they are stored, each with its level; refused when one could not be evaluated."""
    raws = body.stored()
    criteria, misfits = read_set(raws)
    if misfits:
        raise Unprocessable(errors=[invalid(misfit.pointer, misfit.detail, misfit.code) for misfit in misfits])
    return [raw | {"level": str(criterion.level)} for raw, criterion in zip(raws, criteria, strict=True)]


def _head_if_new(service_id: UUID) -> Any:
    now = clock.now()
    values = {"service_id": service_id, "latest": 0, "version": 1, "created_at": now, "changed_at": now}
    return insert(ServiceCriteria).values(values).on_conflict_do_nothing()


def _says(latest: CriteriaSet, actor: Actor, criteria: list[dict[str, Any]], source: str | None) -> bool:
    return (latest.status, latest.organization_id, latest.criteria, latest.source) == (
        Status.DRAFT,
        actor.org_id,
        criteria,
        source,
    )


def _seen_in_state(sets: list[CriteriaSet], criteria_version: int, expected: int, status: Status) -> CriteriaSet:
    """The set, as whoever acts on it has read it, and in the one state in which it can be acted on so."""
    chosen = next((one for one in sets if one.criteria_version == criteria_version), None)
    if chosen is None:
        raise NotFound
    expect(chosen, expected)
    if chosen.status != status:
        raise TransitionNotAllowed(chosen.status, ALLOWED[Status(chosen.status)])
    return chosen


def _require_not_answered(sets: list[CriteriaSet], valid_from: date) -> None:
    """A day that has passed may be named (criteria may be older than their entry here), unless a set bound since then.

    Otherwise answers that were given, and decisions that rest on them, would no longer follow from the criteria.
    """
    today = clock.today()
    bound = [one for one in sets if one.valid_from and one.valid_from < today and one.valid_from != one.valid_until]
    if valid_from < today and any(one.valid_until is None or one.valid_until > valid_from for one in bound):
        detail = "another set bound on a day that has passed since then"
        raise Unprocessable(errors=[invalid("/valid_from", detail, "already_bound")])


def _set_windows(sets: list[CriteriaSet]) -> None:
    """Let every validated set end where the next begins."""
    found = windows(
        Validity(criteria_version=one.criteria_version, valid_from=one.valid_from, retired_on=one.retired_on)
        for one in sets
        if one.valid_from is not None
    )
    for one in sets:
        if one.criteria_version in found and one.valid_until != found[one.criteria_version].valid_until:
            one.valid_until = found[one.criteria_version].valid_until
            one.touch()
