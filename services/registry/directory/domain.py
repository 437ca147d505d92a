"""What holds in the directory: vocabularies, the life of an entry from lead to retired, what publishing asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.errors import Conflict, TransitionNotAllowed


class OrganizationKind(StrEnum):
    PUBLIC_AUTHORITY = "public_authority"
    INTERNATIONAL_ORGANISATION = "international_organisation"
    DEVELOPMENT_AGENCY = "development_agency"
    NGO = "ngo"
    PRIVATE = "private"
    ACADEMIC = "academic"
    DIASPORA = "diaspora"
    COMMUNITY = "community"


class Role(StrEnum):
    """What an organisation is in the ecosystem of the Operational Framework: its groups, taken apart where it lists
    several in one breath. The codes are the project's."""

    RETURN_AND_REINTEGRATION = "return_and_reintegration"
    DEVELOPMENT = "development"
    INTERNATIONAL_STAKEHOLDER = "international_stakeholder"
    NATIONAL_STAKEHOLDER = "national_stakeholder"
    LOCAL_STAKEHOLDER = "local_stakeholder"
    RETURNEES = "returnees"
    RETURNEE_COMMUNITY = "returnee_community"
    SECTOR_SPECIALIST = "sector_specialist"
    SUB_GROUP_SPECIALIST = "sub_group_specialist"


class Dimension(StrEnum):
    ECONOMIC = "economic"
    SOCIAL = "social"
    PSYCHOSOCIAL = "psychosocial"


class Level(StrEnum):
    INDIVIDUAL = "individual"
    COLLECTIVE = "collective"
    COMMUNITY = "community"


class ServiceType(StrEnum):
    JOB_PLACEMENT = "job_placement"
    VOCATIONAL_TRAINING = "vocational_training"
    BUSINESS_DEVELOPMENT = "business_development"
    FINANCIAL_SERVICES = "financial_services"
    HEALTH = "health"
    HOUSING = "housing"
    DOCUMENTATION = "documentation"
    SOCIAL_PROTECTION = "social_protection"
    EDUCATION = "education"
    FOOD_AND_WATER = "food_and_water"
    JUSTICE = "justice"
    PSYCHOSOCIAL_COUNSELLING = "psychosocial_counselling"
    FAMILY_COUNSELLING = "family_counselling"
    CASH_ASSISTANCE = "cash_assistance"
    IN_KIND_ASSISTANCE = "in_kind_assistance"
    OTHER = "other"


class Group(StrEnum):
    """Groups that a service may leave out: marks that can be counted, beside its exclusion criteria in words. The
    list is the project's own; which facts bind for a person is said by the criteria in eligibility."""

    WOMEN = "women"
    MEN = "men"
    CHILDREN = "children"
    YOUNG_PEOPLE = "young_people"
    OLDER_PEOPLE = "older_people"
    PEOPLE_WITH_DISABILITIES = "people_with_disabilities"
    PEOPLE_WITHOUT_DOCUMENTS = "people_without_documents"
    PEOPLE_WHO_CANNOT_READ = "people_who_cannot_read"
    FORCED_RETURNEES = "forced_returnees"
    VOLUNTARY_RETURNEES = "voluntary_returnees"
    LOCALS = "locals"
    NON_NATIONALS = "non_nationals"


class BarrierKind(StrEnum):
    """What stands between a person and a service (Handbook 1.4.2, service mapping)."""

    ELIGIBILITY = "eligibility"
    DISTANCE = "distance"
    SAFETY = "safety"
    TIME = "time"
    MONEY = "money"
    DOCUMENTS = "documents"
    LANGUAGE = "language"
    OTHER = "other"


class ImplicationKind(StrEnum):
    """In which respect a service suits some and not others (Handbook 1.4.2, service mapping)."""

    CULTURAL = "cultural"
    RELIGIOUS = "religious"
    GENDER = "gender"
    AGE = "age"


class Screening(StrEnum):
    """How an environmental screening came out; the values are the project's own."""

    NO_RISK = "no_risk"
    RISK_WITH_MEASURES = "risk_with_measures"
    UNACCEPTABLE_RISK = "unacceptable_risk"


class Freshness(StrEnum):
    """How far the last assurance of a published service lies back."""

    FRESH = "fresh"
    STALE = "stale"
    """Its review is overdue: it ranks lower."""
    HIDDEN = "hidden"
    """Overdue for so long that it is neither listed nor matched until somebody confirms it."""


FRESHNESS = (Freshness.FRESH, Freshness.STALE, Freshness.HIDDEN)
"""In the order in which services are listed; its place here is what the database holds."""


class State(StrEnum):
    LEAD = "lead"
    """An import found it; nobody has looked at it yet."""
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Action(StrEnum):
    EDIT = "edit"
    PUBLISH = "publish"
    CONFIRM = "confirm"
    RETIRE = "retire"


@dataclass(frozen=True)
class Move:
    out_of: frozenset[State]
    into: State | None = None
    """None: the state stays."""


MOVES = {
    Action.EDIT: Move(out_of=frozenset({State.LEAD, State.DRAFT, State.PUBLISHED})),
    Action.PUBLISH: Move(out_of=frozenset({State.LEAD, State.DRAFT}), into=State.PUBLISHED),
    Action.CONFIRM: Move(out_of=frozenset({State.PUBLISHED})),
    Action.RETIRE: Move(out_of=frozenset({State.LEAD, State.DRAFT, State.PUBLISHED}), into=State.RETIRED),
}
"""The life of a programme or a service; what is retired stays so."""


class NotPublishable(Conflict):
    """Something is missing that a published entry must say"""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(missing=missing)


CAPACITY = ("places_stated", "set_aside", "total_places", "funded_places", "waiting_days")
"""Columns whose change moves `capacity_updated_at`."""

KEPT_INSIDE = frozenset({"contacts", "service_map.safety"})
"""Fields that no event carries, and whose past values only the organisation and its curators see."""


def decide(state: State, action: Action) -> State:
    """The state after the action; raises TransitionNotAllowed, changes nothing."""
    move = MOVES[action]
    if state not in move.out_of:
        raise TransitionNotAllowed(state, [each.value for each in Action if state in MOVES[each].out_of])
    return move.into or state


SERVICE_MUST_SAY = {
    "organization": lambda service: service["organization_confirmed"],
    "type": lambda service: service["type"],
    "dimension": lambda service: service["dimension"],
    "level": lambda service: service["level"],
    "areas": lambda service: service["areas"],
    "places": lambda service: service["places_stated"],
    "contacts": lambda service: service["contacts"] or not service["found_by_import"],
}
"""What a published service must say. Places: a number, or `null` for “not counted”, but said. A service that an import
found also needs a contact: nobody of its organisation has entered it."""

ORGANIZATION_MUST_SAY = {
    "kind": lambda organization: organization["kind"],
    "country": lambda organization: organization["country"],
}
PROGRAMME_MUST_SAY = {
    "organization": lambda programme: programme["organization_confirmed"],
    "countries": lambda programme: programme["countries"],
}


def require_said(must_say: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    """Raises NotPublishable with everything that the entry does not say."""
    if missing := [name for name, said in must_say.items() if not said(entry)]:
        raise NotPublishable(missing)
