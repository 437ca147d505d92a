"""A referral with all that is looked at together: its case, its tasks, its place and its service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.referral.cases.models import Case
from services.referral.known.queries import KnownService
from services.referral.places.domain import PlaceState, shown
from services.referral.places.models import Claim
from services.referral.referrals import deadlines
from services.referral.referrals.brief import Brief
from services.referral.referrals.domain import FINAL, Role, Situation, TaskRole
from services.referral.referrals.models import Referral, Task
from shared import clock
from shared.actor import Actor

CREATE, RESPOND = "referrals:create", "referrals:respond"


def way_of(tasks: Sequence[Task]) -> list[Task]:
    """The tasks that lead to the current one, from the first: the way as it was really travelled."""
    by_id: dict[UUID | None, Task] = {task.task_id: task for task in tasks}
    found: list[Task] = []
    task = tasks[-1] if tasks else None
    while task is not None:
        found.append(task)
        task = by_id.get(task.parent_id)
    return found[::-1]


@dataclass
class Journey:
    """Loaded by `queries`; locked if it is to change. `tasks` are in the order in which they were opened."""

    referral: Referral
    case: Case
    tasks: list[Task]
    claim: Claim | None
    service: KnownService
    brief: Brief | None = None
    """Once a leg is travelled in this transaction: what that was judged by."""

    @property
    def task(self) -> Task | None:
        """The current task, and of an ended referral the last; None for a draft."""
        return self.tasks[-1] if self.tasks else None

    def current(self) -> Task:
        """The current task of a referral that was sent."""
        return self.tasks[-1]

    def parent(self, task: Task) -> Task | None:
        return next((each for each in self.tasks if each.task_id == task.parent_id), None)

    @property
    def way(self) -> list[Task]:
        return way_of(self.tasks)

    def settle_parts(self) -> None:
        """Say of every task whether it gives its organisation a part: the current one, and those of hubs before it."""
        way = self.way
        for task in self.tasks:
            task.takes_part = task in way and (task is self.task or task.role == TaskRole.HUB)

    def concerns(self, organization_id: UUID) -> bool:
        """The case owner, or an organisation whose part has not ended."""
        taking_part = {task.organization_id for task in self.tasks if task.takes_part}
        return organization_id in taking_part | {self.referral.owner_id}

    @property
    def arrived(self) -> bool:
        return self.case.has_arrived or self.case.arrived_on is not None

    def arrived_by(self, day: date) -> bool:
        """The arrival is confirmed, and was not after that day as far as anybody knows."""
        return self.arrived and (self.case.arrived_on is None or self.case.arrived_on <= day)

    @property
    def owners_agreement_id(self) -> UUID | None:
        """For the legs after the first: the agreement under which the case owner sent it, if one was needed."""
        return self.way[0].agreement_id if self.tasks else None

    @property
    def counted(self) -> bool:
        return self.service.set_aside is not None

    @property
    def place(self) -> PlaceState:
        return PlaceState.RELEASED if self.claim is None else self.claim.place

    @property
    def shown_place(self) -> PlaceState:
        return shown(self.place, self.counted)

    def roles_of(self, actor: Actor) -> frozenset[Role]:
        """What the actor is to this referral, as far as its token lets it act."""
        roles = set()
        if self.referral.owner_id == actor.org_id and actor.may(CREATE):
            roles.add(Role.OWNER)
        if self.task is not None and self.task.organization_id == actor.org_id and actor.may(RESPOND):
            roles |= {Role.RECEIVER, Role.PROVIDER if self.task.role == TaskRole.PROVIDER else Role.HUB}
        return frozenset(roles)

    def situation(self) -> Situation:
        referral = self.referral
        expires_at = deadlines.read(referral.due, deadlines.Deadline.EXPIRY)
        return Situation(
            status=referral.state,
            place=self.place,
            counted=self.counted,
            passed_on=self.task is not None and self.task.parent_id is not None,
            accepted=referral.accepted_at is not None,
            arrived=self.arrived,
            remote=self.service.remote,
            overdue=referral.escalated and expires_at is not None and expires_at <= clock.now(),
            closed=referral.closed_at is not None,
        )

    def standing(self) -> deadlines.Standing:
        referral, task = self.referral, self.current()
        return deadlines.Standing(
            status=referral.state,
            place=self.place,
            counted=self.counted,
            answered=task.answered_at is not None,
            escalated=referral.escalated,
            arrived=self.arrived,
            contacted=task.contacted_at is not None,
            closed=referral.closed_at is not None,
        )

    @property
    def is_final(self) -> bool:
        return self.referral.state in FINAL

    def on_the_way(self) -> frozenset[UUID]:
        """The organisations that the referral has reached on its present way."""
        return frozenset(task.organization_id for task in self.way)
