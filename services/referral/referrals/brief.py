"""What is known before a leg is travelled: asked in one go (`queries.brief`), under the lock of the case."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.referral.places.models import Ledger
from services.referral.routing.queries import Ground


@dataclass(frozen=True)
class Siblings:
    """Beside this referral: is another of the case open at the service, and does the one it follows belong to it?"""

    duplicate: bool
    follows: bool


@dataclass(frozen=True)
class Part:
    """An organisation has a part in a referral of the case that is open, or was delivered."""

    organization_id: UUID
    is_open: bool


@dataclass(frozen=True)
class Brief:
    """For one case and one service. Beside the ground on which every leg is judged: what else is looked at."""

    ground: Ground
    known_elsewhere: bool
    vulnerable: bool
    siblings: Siblings
    parts_elsewhere: list[Part]
    """In the other referrals of the case."""
    ledgers: Mapping[UUID, Ledger]
    """Those of them that were to be locked and were there."""
