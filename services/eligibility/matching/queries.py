"""What a match needs to know of all services at once, and matches that were stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.eligibility.criteria.domain import InForce
from services.eligibility.criteria.queries import in_force
from services.eligibility.known.queries import published_services
from services.eligibility.matching.domain import Judgement, Profile, evaluate
from services.eligibility.matching.models import Match
from shared.actor import Actor
from shared.crypto import KeyDestroyed, case_keys
from shared.errors import NotFound


@dataclass(frozen=True)
class Judged:
    """Every published service of a country judged for one profile, and the sets they were judged by."""

    judgements: list[Judgement]
    sets: Mapping[UUID, InForce]


async def judge(session: AsyncSession, country: str, profile: Profile) -> Judged:
    services = await published_services(session, country)
    sets = await in_force(session, [service.service_id for service in services], profile.as_of)
    return Judged([evaluate(service, sets.get(service.service_id), profile) for service in services], sets)


def own_matches(actor: Actor, case_id: UUID | None = None) -> Select[Any]:
    """The matches that the actor's organisation made."""
    query = select(Match).where(Match.organization_id == actor.org_id)
    return query if case_id is None else query.where(Match.case_id == case_id)


async def get_match(session: AsyncSession, actor: Actor, match_id: UUID, *, lock: bool = False) -> Match:
    query = own_matches(actor).where(Match.match_id == match_id)
    found: Match | None = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


async def open_match(session: AsyncSession, match: Match) -> dict[str, Any]:
    """What was sealed in the match: `profile`, `answer`, `judged`. Not found once the case is erased."""
    try:
        cipher = await case_keys(session).cipher(match.case_id)
    except KeyDestroyed:
        raise NotFound from None
    opened: dict[str, Any] = cipher.open(match.sealed, match.context())
    return opened


async def stored_match(session: AsyncSession, actor: Actor, match_id: UUID) -> dict[str, Any]:
    """A match as it was answered, for the organisation that made it."""
    row = await get_match(session, actor, match_id)
    opened = await open_match(session, row)
    told = {"case_id": row.case_id, "country": row.country, "matched_at": row.matched_at}
    return {**opened["answer"], **told, "profile": opened["profile"]}
