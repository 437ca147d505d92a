from datetime import datetime
from typing import Any
from uuid import UUID

from shared.http.schema import Out


class ChangeOut(Out):
    """One field, changed; both `organization_id` and `client_id` are null where the system itself changed it."""

    change_id: UUID
    resource_version: int
    changed_at: datetime
    organization_id: UUID | None
    client_id: str | None
    field: str
    before: Any
    after: Any
