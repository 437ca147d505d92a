"""Agreements that are in force get the timers that announce their end."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ANNOUNCED = """
INSERT INTO timers (kind, aggregate_id, due_at, attempts)
SELECT 'agreement_ending_' || days, agreement_id, (valid_until + 1 - days)::timestamp AT TIME ZONE 'UTC', 0
FROM agreements CROSS JOIN unnest(ARRAY[90, 30, 7]) AS days WHERE state = 'signed'
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.execute(ANNOUNCED)


def downgrade() -> None:
    op.execute("DELETE FROM timers WHERE kind LIKE 'agreement\\_ending\\_%'")
