"""What may be asked of services: each field is a query parameter, and all that are given must hold."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.registry.directory.domain import Dimension, Freshness, Level, ServiceType, State
from shared.errors import Unprocessable, invalid
from shared.http.schema import AreaCode, Country, Language

InCountry = Annotated[Country | None, Query()]
OfOrganization = Annotated[UUID | None, Query()]
InState = Annotated[State | None, Query()]
Flag = Annotated[bool | None, Query()]
NUMBER = r"-?\d{1,3}(\.\d{1,12})?"
ORDINARY_KM = 25.0


@dataclass(frozen=True)
class Near:
    """Within so many kilometres of a point."""

    latitude: float
    longitude: float
    within_km: float


def _near(
    near: Annotated[
        str | None, Query(pattern=rf"^{NUMBER},{NUMBER}$", description="Latitude and longitude: `6.335,5.627`")
    ] = None,
    within_km: Annotated[
        float | None, Query(gt=0, le=1000, description="How far from `near`; 25 if nothing is said")
    ] = None,
) -> Near | None:
    if near is None:
        if within_km is not None:
            raise Unprocessable(errors=[invalid("/query/near", "is needed with within_km", "missing")])
        return None
    latitude, longitude = (float(part) for part in near.split(","))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Unprocessable(errors=[invalid("/query/near", "is no place on earth", "coordinates")])
    return Near(latitude, longitude, ORDINARY_KM if within_km is None else within_km)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Fields that equal the column of the same name; None: anything."""

    country: InCountry = None
    organization_id: OfOrganization = None
    programme_id: Annotated[UUID | None, Query()] = None
    type: Annotated[ServiceType | None, Query()] = None
    dimension: Annotated[Dimension | None, Query()] = None
    level: Annotated[Level | None, Query()] = None
    state: InState = None
    free: Flag = None
    open_to_all: Flag = None
    remote: Flag = None
    locals_take_part: Flag = None
    green_job: Flag = None


@dataclass(frozen=True, kw_only=True)
class Wanted(Compared):
    """What a service must be."""

    text: Annotated[
        str | None,
        Query(min_length=2, max_length=200, description="Words of name and description, or how they begin"),
    ] = None
    area: Annotated[AreaCode | None, Query(description="Services that cover this area")] = None
    part_of: Annotated[AreaCode | None, Query(description="Services that cover this area or a part of it")] = None
    near: Annotated[Near | None, Depends(_near)] = None
    language: Annotated[Language | None, Query()] = None
    freshness: Annotated[
        Freshness | None, Query(description="Of published services; hidden ones are listed for owners and curators")
    ] = None


WantedServices = Annotated[Wanted, Depends()]
