from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from services.registry.directory.domain import Dimension, ServiceType
from services.registry.directory.schemas import Contact
from services.registry.directory.service_map import Schedule
from services.registry.mechanisms.domain import Kind
from shared.http.schema import AreaCode, Country, In, Out, Text


class MechanismFields(In):
    name: Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)] = ""
    kind: Kind
    parent_id: UUID | None = None
    countries: list[Country] = Field(min_length=1, max_length=250)
    areas: list[AreaCode] = Field([], max_length=1000)
    needs: list[Dimension | ServiceType] = Field([], max_length=50)
    procedure: Text | None = None
    opening_hours: list[Schedule] = Field([], max_length=50)
    contacts: list[Contact] = Field([], max_length=20)
    """Focal points: desks rather than persons. Never part of an event."""
    active: bool = True


class MechanismIn(MechanismFields):
    """A mechanism. Without areas it serves its countries whole, without needs all needs.

    `procedure` describes how a public service that is open to all is reached without an agreement.
    """

    organization_id: UUID


class MechanismOut(Out):
    mechanism_id: UUID
    name: str
    kind: Kind
    organization_id: UUID
    parent_id: UUID | None
    countries: list[str]
    areas: list[str]
    needs: list[str]
    procedure: str | None
    opening_hours: list[Schedule]
    contacts: list[Contact]
    active: bool
    created_at: datetime
    changed_at: datetime
    version: int
