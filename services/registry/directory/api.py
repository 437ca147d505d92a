from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.registry.directory import actions, queries
from services.registry.directory.actions import OrganizationExists
from services.registry.directory.domain import Action, NotPublishable, OrganizationKind
from services.registry.directory.filters import InCountry, InState, OfOrganization, WantedServices
from services.registry.directory.models import Organization, Programme, Service
from services.registry.directory.schemas import (
    OrganizationIn,
    OrganizationOut,
    ProgrammeIn,
    ProgrammeOut,
    ServiceIn,
    ServiceOut,
)
from services.registry.history.models import Change
from services.registry.history.schemas import ChangeOut
from shared.actor import Actor
from shared.errors import (
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TransitionNotAllowed,
    Unprocessable,
)
from shared.http import Expected, MergePatch, Page, PageRequest, Router, Transaction, needs, refusals

router = Router(tags=["directory"])
Reader = Annotated[Actor, needs("registry:read")]
Writer = Annotated[Actor, needs("registry:write")]
Curator = Annotated[Actor, needs("registry:publish")]

CREATING = refusals(Forbidden, Unprocessable)
CHANGING = refusals(Forbidden, NotFound, TransitionNotAllowed, PreconditionFailed, PreconditionRequired, Unprocessable)
PUBLISHING = refusals(
    Forbidden, NotFound, TransitionNotAllowed, NotPublishable, PreconditionFailed, PreconditionRequired
)


@router.post(
    "/organizations",
    status_code=201,
    response_model=OrganizationOut,
    responses=refusals(Forbidden, OrganizationExists, Unprocessable),
)
async def create_organization(body: OrganizationIn, session: Transaction, actor: Curator) -> Organization:
    """Take an organisation on."""
    return await actions.create_organization(session, actor, body)


@router.get("/organizations", response_model=Page[OrganizationOut])
async def read_organizations(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    country: InCountry = None,
    kind: Annotated[OrganizationKind | None, Query()] = None,
    lead: Annotated[bool | None, Query(description="Only what imports have found, or only the rest")] = None,
) -> Page[Organization]:
    """Organisations; leads are shown to curators."""
    return await queries.page_of_organizations(session, actor, page, country=country, kind=kind, lead=lead)


@router.get("/organizations/{organization_id}", response_model=OrganizationOut, responses=refusals(NotFound))
async def read_organization(organization_id: UUID, session: Transaction, actor: Reader) -> Organization:
    """An organisation; a lead only for curators and itself."""
    return await queries.get_organization(session, actor, organization_id)


@router.get("/organizations/{organization_id}/history", response_model=Page[ChangeOut], responses=refusals(NotFound))
async def read_history_of_organization(
    organization_id: UUID, session: Transaction, actor: Reader, page: PageRequest
) -> Page[Change]:
    """Who changed which field of an organisation when, and what it was, the oldest first.

    What was changed before it was public, contacts and notes on safety are shown to its organisation and to curators.
    """
    return await queries.history_of_organization(session, actor, page, organization_id)


@router.patch("/organizations/{organization_id}", response_model=OrganizationOut, responses=CHANGING)
async def edit_organization(
    organization_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Organization:
    """Edit one's own organisation; a curator edits any."""
    return await actions.edit_organization(session, actor, organization_id, expected, body)


@router.post("/organizations/{organization_id}/confirm", response_model=OrganizationOut, responses=PUBLISHING)
async def confirm_organization(
    organization_id: UUID, expected: Expected, session: Transaction, actor: Curator
) -> Organization:
    """Take on an organisation that was a lead. It needs a kind and a country."""
    return await actions.confirm_organization(session, actor, organization_id, expected)


@router.post("/programmes", status_code=201, response_model=ProgrammeOut, responses=CREATING)
async def create_programme(body: ProgrammeIn, session: Transaction, actor: Writer) -> Programme:
    """Enter a programme of one's own organisation, as a draft; a curator enters any."""
    return await actions.create_programme(session, actor, body)


@router.get("/programmes", response_model=Page[ProgrammeOut])
async def read_programmes(
    session: Transaction,
    actor: Reader,
    page: PageRequest,
    country: InCountry = None,
    organization_id: OfOrganization = None,
    state: InState = None,
) -> Page[Programme]:
    """Programmes; drafts are shown to their organisation and to curators."""
    return await queries.page_of_programmes(
        session, actor, page, country=country, organization_id=organization_id, state=state
    )


@router.get("/programmes/{programme_id}", response_model=ProgrammeOut, responses=refusals(NotFound))
async def read_programme(programme_id: UUID, session: Transaction, actor: Reader) -> Programme:
    """A programme; unpublished only for its organisation and curators."""
    return await queries.get_programme(session, actor, programme_id)


@router.get("/programmes/{programme_id}/history", response_model=Page[ChangeOut], responses=refusals(NotFound))
async def read_history_of_programme(
    programme_id: UUID, session: Transaction, actor: Reader, page: PageRequest
) -> Page[Change]:
    """Who changed which field of a programme when, and what it was, the oldest first.

    What was changed before it was public, contacts and notes on safety are shown to its organisation and to curators.
    """
    return await queries.history_of_programme(session, actor, page, programme_id)


@router.patch("/programmes/{programme_id}", response_model=ProgrammeOut, responses=CHANGING)
async def edit_programme(
    programme_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Programme:
    """Edit a programme of one's own organisation; a curator edits any."""
    return await actions.edit_programme(session, actor, programme_id, expected, body)


@router.post("/programmes/{programme_id}/publish", response_model=ProgrammeOut, responses=PUBLISHING)
async def publish_programme(programme_id: UUID, expected: Expected, session: Transaction, actor: Curator) -> Programme:
    """Show the programme to everybody."""
    return await actions.act_on_programme(session, actor, programme_id, expected, Action.PUBLISH)


@router.post("/programmes/{programme_id}/confirm", response_model=ProgrammeOut, responses=CHANGING)
async def confirm_programme(programme_id: UUID, expected: Expected, session: Transaction, actor: Writer) -> Programme:
    """Assure that one's own entry is still right; a curator assures any."""
    return await actions.act_on_programme(session, actor, programme_id, expected, Action.CONFIRM)


@router.post("/programmes/{programme_id}/retire", response_model=ProgrammeOut, responses=CHANGING)
async def retire_programme(programme_id: UUID, expected: Expected, session: Transaction, actor: Curator) -> Programme:
    """Close the programme for good."""
    return await actions.act_on_programme(session, actor, programme_id, expected, Action.RETIRE)


@router.post("/services", status_code=201, response_model=ServiceOut, responses=CREATING)
async def create_service(body: ServiceIn, session: Transaction, actor: Writer) -> Service:
    """Enter a service of one's own organisation, as a draft; a curator enters any."""
    return await actions.create_service(session, actor, body)


@router.get("/services", response_model=Page[ServiceOut])
async def read_services(
    session: Transaction, actor: Reader, page: PageRequest, wanted: WantedServices
) -> Page[Service]:
    """Services that are all that is asked for, the fresh before the stale.

    Leads, drafts and services that are hidden because nobody confirmed them are shown to their organisation and to
    curators.
    """
    return await queries.page_of_services(session, actor, page, wanted)


@router.get("/services/{service_id}", response_model=ServiceOut, responses=refusals(NotFound))
async def read_service(service_id: UUID, session: Transaction, actor: Reader) -> Service:
    """A service; a lead or a draft only for its organisation and curators."""
    return await queries.get_service(session, actor, service_id)


@router.get("/services/{service_id}/history", response_model=Page[ChangeOut], responses=refusals(NotFound))
async def read_history_of_service(
    service_id: UUID, session: Transaction, actor: Reader, page: PageRequest
) -> Page[Change]:
    """Who changed which field of a service when, and what it was, the oldest first.

    What was changed before it was public, contacts and notes on safety are shown to its organisation and to curators.
    """
    return await queries.history_of_service(session, actor, page, service_id)


@router.patch("/services/{service_id}", response_model=ServiceOut, responses=CHANGING)
async def edit_service(
    service_id: UUID, body: MergePatch, expected: Expected, session: Transaction, actor: Writer
) -> Service:
    """Edit a service of one's own organisation; a curator edits any. A published one must stay publishable."""
    return await actions.edit_service(session, actor, service_id, expected, body)


@router.post("/services/{service_id}/publish", response_model=ServiceOut, responses=PUBLISHING)
async def publish_service(service_id: UUID, expected: Expected, session: Transaction, actor: Curator) -> Service:
    """Let the service be matched and referred to.

    It needs areas and a statement about places (a number, or null for “not counted”), its organisation must be
    confirmed, and one that an import found needs a contact. `missing` of the problem `not-publishable` names what is
    not there.
    """
    return await actions.act_on_service(session, actor, service_id, expected, Action.PUBLISH)


@router.post("/services/{service_id}/confirm", response_model=ServiceOut, responses=CHANGING)
async def confirm_service(service_id: UUID, expected: Expected, session: Transaction, actor: Writer) -> Service:
    """Assure that one's own entry is still right; a curator assures any. It is fresh again until its next review."""
    return await actions.act_on_service(session, actor, service_id, expected, Action.CONFIRM)


@router.post("/services/{service_id}/retire", response_model=ServiceOut, responses=CHANGING)
async def retire_service(service_id: UUID, expected: Expected, session: Transaction, actor: Curator) -> Service:
    """The service is no longer given. Referrals that nobody accepted are cancelled by the referral service."""
    return await actions.act_on_service(session, actor, service_id, expected, Action.RETIRE)
