"""Who may see and change what in the registry: asked by every query and action, decided nowhere else.

A curator (`registry:publish`) sees and edits everything; one whose token names a country, what belongs to that country.
Everybody else edits what their own organisation runs, and sees that and what is published. What one may not see does
not exist (404).
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from shared.actor import Actor
from shared.errors import Forbidden

CURATES = "registry:publish"
ADMINISTERS = "ops:manage"


def is_curator(actor: Actor) -> bool:
    """True for a curator of any country; whether it is that of an entry, `curates` says."""
    return actor.may(CURATES)


def curates(actor: Actor, countries: Iterable[str | None]) -> bool:
    """True for a curator of all countries, and for one of any of these."""
    return is_curator(actor) and (actor.country is None or actor.country in set(countries))


def is_administrator(actor: Actor) -> bool:
    """True for the bootstrap client: it curates the registry and manages operations."""
    return is_curator(actor) and actor.may(ADMINISTERS)


def visible(
    actor: Actor,
    owner: InstrumentedAttribute[UUID],
    public: ColumnElement[bool],
    country: InstrumentedAttribute[Any] | None = None,
) -> ColumnElement[bool]:
    """The rows that the actor may see: the public ones, those of the own organisation, for curators all of theirs.

    `country` is the column that names the country of a row, or its countries; without one, curators see all rows.
    """
    if not is_curator(actor):
        return or_(public, owner == actor.org_id)
    if country is None or actor.country is None:
        return true()
    own = country.contains([actor.country]) if country.type.python_type is list else country == actor.country
    return or_(public, owner == actor.org_id, own)


def runs(actor: Actor, organization_id: UUID, countries: Iterable[str | None]) -> bool:
    """True when the actor acts for this organisation or curates one of these countries."""
    return actor.org_id == organization_id or curates(actor, countries)


def require_runs(actor: Actor, organization_id: UUID, countries: Iterable[str | None] | None = None) -> None:
    """Raises Forbidden unless the actor acts for this organisation or curates: one of these countries, if any."""
    if not runs(actor, organization_id, [actor.country] if countries is None else countries):
        raise Forbidden("only this organisation, or a curator of the registry, may do this")


def require_curator(actor: Actor, countries: Iterable[str | None] | None = None) -> None:
    """Raises Forbidden unless the actor curates the registry: one of these countries, if they are given."""
    if not curates(actor, [actor.country] if countries is None else countries):
        raise Forbidden("only a curator of the registry, and of its country, may do this", needs=[CURATES])


def require_curator_of_all(actor: Actor) -> None:
    """Raises Forbidden unless the actor curates the registry for every country."""
    if not is_curator(actor) or actor.country is not None:
        raise Forbidden("only a curator of all countries may do this", needs=[CURATES])
