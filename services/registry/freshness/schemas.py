from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from services.registry.directory.domain import Freshness, ServiceType
from services.registry.directory.schemas import ServiceFields
from services.registry.directory.service_map import ServiceMap
from services.registry.freshness.domain import Outcome, Source
from shared.http.schema import In, Out

DOUBTABLE = frozenset(
    {*ServiceFields.model_fields, *(f"service_map.{field}" for field in ServiceMap.model_fields)} - {"service_map"}
)


def _doubtable(field: str) -> str:
    if field not in DOUBTABLE:
        raise PydanticCustomError("no_such_field", "is no field of a service that can be doubted")
    return field


Field = Annotated[str, StringConstraints(max_length=100), AfterValidator(_doubtable)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class DoubtFields(In):
    field: Field
    source: Source
    note: Note | None = None


class DoubtIn(DoubtFields):
    """That a field of a service is wrong: one of its own, or `service_map.safety` and its like. The note says what is
    wrong, never who said so."""


class ResolutionIn(In):
    """Whether the entry was put right, or was right."""

    outcome: Outcome


class DoubtOut(Out):
    """A doubt; `outcome` is null until somebody has looked."""

    doubt_id: UUID
    service_id: UUID
    field: str
    source: Source
    note: str | None
    organization_id: UUID
    outcome: Outcome | None
    resolved_by: UUID | None
    resolved_at: datetime | None
    created_at: datetime
    changed_at: datetime
    version: int


class ReviewOut(Out):
    """A service that somebody should look at: its review is due, or a field of it is doubtful."""

    service_id: UUID
    organization_id: UUID
    name: str
    country: str | None
    type: ServiceType | None
    confirmed_on: date | None
    confirmed_by: UUID | None
    review_by: date | None
    freshness: Freshness | None
    doubtful: list[str]
    version: int
