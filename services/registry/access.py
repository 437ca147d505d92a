"""Who may see and change what in the registry: asked by every query and action, decided nowhere else.

A curator (`registry:publish`) sees and edits everything. Everybody else edits what their own organisation runs, and
sees that and what is published. What one may not see does not exist (404).
"""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from shared.actor import Actor
from shared.errors import Forbidden

CURATES = "registry:publish"
ADMINISTERS = "ops:manage"


def is_curator(actor: Actor) -> bool:
    return actor.may(CURATES)


def is_administrator(actor: Actor) -> bool:
    """True for the bootstrap client: it curates the registry and manages operations."""
    return is_curator(actor) and actor.may(ADMINISTERS)


def visible(actor: Actor, owner: InstrumentedAttribute[UUID], public: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rows that the actor may see: the public ones, those of the own organisation, for curators all."""
    return true() if is_curator(actor) else or_(public, owner == actor.org_id)


def require_runs(actor: Actor, organization_id: UUID) -> None:
    """Raises Forbidden unless the actor acts for this organisation or curates the registry."""
    if not is_curator(actor) and actor.org_id != organization_id:
        raise Forbidden("only this organisation, or a curator of the registry, may do this")


def require_curator(actor: Actor) -> None:
    """Raises Forbidden unless the actor curates the registry."""
    if not is_curator(actor):
        raise Forbidden("only a curator of the registry may do this", needs=[CURATES])
