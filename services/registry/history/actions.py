"""Keeping what changed, in the transaction that changes it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.history.domain import Told, differences
from services.registry.history.models import Change
from shared import clock
from shared.actor import Actor


def record(
    session: AsyncSession,
    actor: Actor | None,
    resource_id: UUID,
    version: int,
    before: Told,
    after: Told,
    *,
    public: bool,
    kept_inside: Collection[str] = (),
    within: tuple[str, ...] = (),
) -> None:
    """Keep every field that differs; `before` and `after` are JSON, `version` is the one that `after` has.

    `public`: the resource is seen by everybody; fields `kept_inside` are shown to its organisation and curators only.
    Without an actor it was the system itself.
    """
    session.add_all(
        Change(
            resource_id=resource_id,
            resource_version=version,
            changed_at=clock.now(),
            organization_id=actor.org_id if actor else None,
            client_id=actor.client_id if actor else None,
            field=field,
            before=was,
            after=is_now,
            public=public and field not in kept_inside,
        )
        for field, was, is_now in differences(before, after, within)
    )
