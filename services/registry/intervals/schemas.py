from uuid import UUID

from pydantic import Field

from shared.http.schema import In, Out


class IntervalFields(In):
    review_days: int = Field(ge=1, le=3650)
    hide_days: int | None = Field(None, ge=0, le=3650)


class IntervalOut(Out):
    """How long a service of this kind counts as fresh after it was assured, and how many days after its review was due
    it is hidden (null: never). `project_default` says that nobody has set it: no source gives such a number."""

    type: str
    review_days: int
    hide_days: int | None
    set_by: UUID | None
    project_default: bool
    version: int
