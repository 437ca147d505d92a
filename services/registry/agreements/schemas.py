"""Shapes of agreements. Parts of the same names stand in the events; here they are checked."""

from datetime import date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.registry.agreements.domain import DataRole, IdentityField, Kind, State, wrong_roles
from services.registry.directory.domain import OrganizationKind
from shared.http.schema import Country, In, Out, Text

T = TypeVar("T")


def each_once(listed: list[T]) -> list[T]:
    """The same without what stands there twice."""
    return list(dict.fromkeys(listed))


Days = Annotated[int, Field(ge=1, le=365)]
Hours = Annotated[int, Field(ge=1, le=720)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
Ids = Annotated[list[UUID], Field(max_length=200), AfterValidator(each_once)]


class PartyIn(In):
    organization_id: UUID


class PartyOut(Out):
    organization_id: UUID
    signed_on: date | None = None


class Covers(In):
    """What the agreement is about; a mechanism covers every service that is reached through it."""

    service_ids: Ids = []
    programme_ids: Ids = []
    mechanism_ids: Ids = []


class Deadlines(In):
    """What overrides the default deadlines: working days of whoever must act, or hours by the clock where named so."""

    acknowledgement: Days | None = None
    decision: Days | None = None
    decision_urgent_hours: Hours | None = None
    decision_emergency_hours: Hours | None = None
    information: Days | None = None
    offer: Days | None = None
    first_contact: Days | None = None
    start: Days | None = None
    review: Days | None = None
    outcome_acknowledgement: Days | None = None


class Disclosure(In):
    """Fields of identity that may be disclosed, and whether a hub may see them too."""

    fields: list[IdentityField] = Field([], max_length=20)
    hub_sees_identity: bool = False


class DataRoleIn(In):
    """What a party is in the sense of GDPR Art. 4, 26 and 28."""

    organization_id: UUID
    role: DataRole


class TransferInstrument(In):
    """The basis or safeguard of GDPR Art. 45 or 46 that the agreement gives, and to whom data may be passed on."""

    article: Annotated[str, StringConstraints(pattern=r"^4[56](\([1-9]\))?(\([a-f]\))?$")]
    reference: Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)] = ""
    onward_organization_ids: Ids = []
    onward_kinds: list[OrganizationKind] = Field([], max_length=20)


class AgreementIn(In):
    """An agreement, as a draft; `valid_from` and `valid_until` are both days on which it is in force."""

    kind: Kind
    title: Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)] = ""
    description: Text | None = None
    parties: list[PartyIn] = Field(min_length=2, max_length=50)
    covers: Covers = Covers()
    countries: Annotated[list[Country], AfterValidator(each_once)] = Field(min_length=1, max_length=250)
    valid_from: Day
    valid_until: Day
    deadlines: Deadlines = Deadlines()
    disclosure: Disclosure = Disclosure()
    data_roles: list[DataRoleIn] = Field([], max_length=50)
    transfer_instrument: TransferInstrument | None = None

    @field_validator("valid_until")
    @classmethod
    def after_it_begins(cls, valid_until: date, info: ValidationInfo) -> date:
        valid_from = info.data.get("valid_from")
        if valid_from is not None and valid_until < valid_from:
            raise PydanticCustomError("dates_reversed", "is before valid_from")
        return valid_until

    @field_validator("data_roles")
    @classmethod
    def roles_that_go_together(cls, listed: list[DataRoleIn]) -> list[DataRoleIn]:
        if code := wrong_roles([each.role for each in listed]):
            raise PydanticCustomError(code, code.replace("_", " "))
        return listed

    @field_validator("parties", "data_roles")
    @classmethod
    def no_organization_twice(cls, listed: list[PartyIn] | list[DataRoleIn]) -> list[PartyIn] | list[DataRoleIn]:
        if len({each.organization_id for each in listed}) < len(listed):
            raise PydanticCustomError("duplicate", "names an organisation twice")
        return listed


class AgreementOut(Out):
    """An agreement, as its parties and curators see it."""

    agreement_id: UUID
    kind: Kind
    title: str
    description: str | None
    parties: list[PartyOut]
    covers: Covers
    countries: list[str]
    valid_from: date
    valid_until: date
    deadlines: Deadlines
    disclosure: Disclosure
    data_roles: list[DataRoleIn]
    transfer_instrument: TransferInstrument | None
    state: State
    ended_on: date | None
    created_at: datetime
    changed_at: datetime
    version: int
