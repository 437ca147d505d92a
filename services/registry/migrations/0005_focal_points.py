"""Mechanisms say when they are open and whom to ask."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ("opening_hours", "contacts")


def upgrade() -> None:
    for name in COLUMNS:
        column = sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=False, server_default="[]")
        op.add_column("mechanisms", column)
        op.alter_column("mechanisms", name, server_default=None)


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("mechanisms", name)
