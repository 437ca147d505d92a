"""A service's review by its kind, and whether it is hidden."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("known_services", sa.Column("review_by", sa.Date(), nullable=True))
    op.add_column("known_services", sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("known_services", "hidden", server_default=None)


def downgrade() -> None:
    op.drop_column("known_services", "hidden")
    op.drop_column("known_services", "review_by")
