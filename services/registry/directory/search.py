"""Finding services: filters that hold together, each of them answered by an index.

Fresh services come before stale ones, within each by id, so that a page is where it was however many are entered.
"""

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, false, func, literal, or_, select

from services.registry.directory.domain import FRESHNESS, State
from services.registry.directory.filters import Compared, Near, Wanted
from services.registry.directory.indexing import areas_wanted, part_of, type_mark, words_wanted
from services.registry.directory.models import Service, ServicePoint

EARTH_RADIUS_KM = 6371.0088
"""The mean radius (IUGG); a circle on a sphere is exact enough for a way to a service."""
KM_A_DEGREE = math.pi * EARTH_RADIUS_KM / 180
MAX_WORDS = 10


_COMPARED = [field.name for field in fields(Compared)]


def narrow(query: Select[Any], wanted: Compared) -> Select[Any]:
    """The services of `query` that are all that is wanted."""
    tests = [getattr(Service, name) == value for name in _COMPARED if (value := getattr(wanted, name)) is not None]
    return query.where(*tests, *(_tests(wanted) if isinstance(wanted, Wanted) else ()))


def _tests(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.text is not None:
        words = words_wanted(wanted.text)[:MAX_WORDS]
        yield Service.terms.contains([*words, type_mark(wanted.type)] if wanted.type else words) if words else false()
    if wanted.area is not None:
        yield Service.terms.overlap(areas_wanted(wanted.area))
    if wanted.part_of is not None:
        yield Service.terms.overlap(part_of(wanted.part_of))
    if wanted.near is not None:
        yield Service.service_id.in_(_near(wanted.near))
    if wanted.language is not None:
        yield Service.languages.contains([wanted.language])
    if wanted.freshness is not None:
        yield and_(Service.state == State.PUBLISHED, Service.staleness == FRESHNESS.index(wanted.freshness))


def _near(near: Near) -> Select[Any]:
    """Services with a point in the circle: a box that an index knows, then the distance of what lies in it."""
    height = near.within_km / KM_A_DEGREE
    south, north = near.latitude - height, near.latitude + height
    box: list[ColumnElement[bool]] = [ServicePoint.latitude.between(south, north)]
    if max(-south, north) < 90:  # round a pole every longitude is near
        widest = math.sin(math.radians(height)) / math.cos(math.radians(near.latitude))
        if widest < 1:
            box.append(_between(near.longitude, math.degrees(math.asin(widest))))
    return select(ServicePoint.service_id).where(*box, _distance_km(near) <= near.within_km)


def _between(middle: float, width: float) -> ColumnElement[bool]:
    """Longitudes no further than `width` from `middle`, across the 180th meridian too."""
    longitude, west, east = ServicePoint.longitude, middle - width, middle + width
    if west < -180:
        return or_(longitude >= west + 360, longitude <= east)
    return or_(longitude >= west, longitude <= east - 360) if east > 180 else and_(longitude >= west, longitude <= east)


def _distance_km(near: Near) -> ColumnElement[float]:
    """The great circle by the haversine formula."""
    latitude, longitude = func.radians(ServicePoint.latitude), func.radians(ServicePoint.longitude)
    here, there = math.radians(near.latitude), math.radians(near.longitude)
    chord = func.pow(func.sin((latitude - here) / 2), 2) + math.cos(here) * func.cos(latitude) * func.pow(
        func.sin((longitude - there) / 2), 2
    )
    return 2 * EARTH_RADIUS_KM * func.asin(func.least(literal(1.0, Float), func.sqrt(chord)))
