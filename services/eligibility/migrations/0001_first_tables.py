"""First tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import announce_inserts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_kept_at"), "idempotency_keys", ["kept_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("listener", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("listener", "event_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "known_agreements",
        sa.Column("agreement_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parties", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("service_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("programme_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("mechanism_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_known_agreements")),
    )
    op.create_index(
        "ix_known_agreements_parties", "known_agreements", ["parties"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "known_cases",
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("member_state", sa.Text(), nullable=True),
        sa.Column("country_of_origin", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("return_type", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("planned_arrival_on", sa.Date(), nullable=True),
        sa.Column("arrived_on", sa.Date(), nullable=True),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_known_cases")),
    )
    op.create_table(
        "known_mechanisms",
        sa.Column("mechanism_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("covered_areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("has_procedure", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("mechanism_id", name=op.f("pk_known_mechanisms")),
    )
    op.create_table(
        "known_organizations",
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_known_organizations")),
    )
    op.create_table(
        "known_places",
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=True),
        sa.Column("free", sa.Integer(), nullable=True),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_known_places")),
    )
    op.create_table(
        "known_programmes",
        sa.Column("programme_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_known_programmes")),
    )
    op.create_table(
        "known_services",
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("programme_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("translations", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("covered_areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("open_to_all", sa.Boolean(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=True),
        sa.Column("waiting_days", sa.Integer(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_known_services")),
    )
    op.create_index(
        "ix_known_services_matched",
        "known_services",
        ["country"],
        unique=False,
        postgresql_where=sa.text("NOT retired"),
    )
    op.create_table(
        "matches",
        sa.Column("match_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("matched_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_matches")),
    )
    op.create_index(op.f("ix_matches_case_id"), "matches", ["case_id"], unique=False)
    op.create_index(op.f("ix_matches_organization_id"), "matches", ["organization_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("key", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "written_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    op.create_index(
        "ix_outbox_unpublished", "outbox", ["seq"], unique=False, postgresql_where=sa.text("published_at IS NULL")
    )
    op.create_table(
        "parked_events",
        sa.Column("parked_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("listener", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("event_id", sa.UUID(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_parked_events")),
        sa.UniqueConstraint(
            "listener", "topic", "partition", "offset", name=op.f("uq_parked_events_listener_topic_partition_offset")
        ),
    )
    op.create_index("ix_parked_events_listener_key", "parked_events", ["listener", "key", "parked_id"], unique=False)
    op.create_table(
        "service_criteria",
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_service_criteria")),
    )
    op.create_table(
        "timers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.UUID(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kind", "aggregate_id", name=op.f("pk_timers")),
    )
    op.create_index(op.f("ix_timers_due_at"), "timers", ["due_at"], unique=False)
    op.create_table(
        "criteria_sets",
        sa.Column("criteria_set_id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("validated_by", sa.UUID(), nullable=True),
        sa.Column("validated_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service_criteria.service_id"], name=op.f("fk_criteria_sets_service_id_service_criteria")
        ),
        sa.PrimaryKeyConstraint("criteria_set_id", name=op.f("pk_criteria_sets")),
        sa.UniqueConstraint(
            "service_id", "criteria_version", name=op.f("uq_criteria_sets_service_id_criteria_version")
        ),
    )
    op.create_index(
        "ix_criteria_sets_in_force",
        "criteria_sets",
        ["service_id", "valid_from"],
        unique=False,
        postgresql_where=sa.text("valid_from IS NOT NULL"),
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("match_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=True),
        sa.Column("proposed", sa.Text(), nullable=False),
        sa.Column("decided", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.UUID(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["matches.match_id"], name=op.f("fk_decisions_match_id_matches")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_case_id"), "decisions", ["case_id"], unique=False)
    op.create_index(op.f("ix_decisions_organization_id"), "decisions", ["organization_id"], unique=False)
    op.create_index(
        "uq_decisions_current",
        "decisions",
        ["match_id", "service_id"],
        unique=True,
        postgresql_where=sa.text("superseded_by IS NULL"),
    )
    op.create_table(
        "appeals",
        sa.Column("appeal_id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("appealed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.decision_id"], name=op.f("fk_appeals_decision_id_decisions")
        ),
        sa.PrimaryKeyConstraint("appeal_id", name=op.f("pk_appeals")),
    )
    op.create_index(op.f("ix_appeals_decision_id"), "appeals", ["decision_id"], unique=False)
    op.create_index(
        "uq_appeals_open", "appeals", ["decision_id"], unique=True, postgresql_where=sa.text("decided_at IS NULL")
    )
    for statement in announce_inserts():
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("uq_appeals_open", table_name="appeals", postgresql_where=sa.text("decided_at IS NULL"))
    op.drop_index(op.f("ix_appeals_decision_id"), table_name="appeals")
    op.drop_table("appeals")
    op.drop_index("uq_decisions_current", table_name="decisions", postgresql_where=sa.text("superseded_by IS NULL"))
    op.drop_index(op.f("ix_decisions_organization_id"), table_name="decisions")
    op.drop_index(op.f("ix_decisions_case_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(
        "ix_criteria_sets_in_force", table_name="criteria_sets", postgresql_where=sa.text("valid_from IS NOT NULL")
    )
    op.drop_table("criteria_sets")
    op.drop_index(op.f("ix_timers_due_at"), table_name="timers")
    op.drop_table("timers")
    op.drop_table("service_criteria")
    op.drop_index("ix_parked_events_listener_key", table_name="parked_events")
    op.drop_table("parked_events")
    op.drop_index("ix_outbox_unpublished", table_name="outbox", postgresql_where=sa.text("published_at IS NULL"))
    op.drop_table("outbox")
    op.drop_index(op.f("ix_matches_organization_id"), table_name="matches")
    op.drop_index(op.f("ix_matches_case_id"), table_name="matches")
    op.drop_table("matches")
    op.drop_index("ix_known_services_matched", table_name="known_services", postgresql_where=sa.text("NOT retired"))
    op.drop_table("known_services")
    op.drop_table("known_programmes")
    op.drop_table("known_places")
    op.drop_table("known_organizations")
    op.drop_table("known_mechanisms")
    op.drop_table("known_cases")
    op.drop_index("ix_known_agreements_parties", table_name="known_agreements", postgresql_using="gin")
    op.drop_table("known_agreements")
    op.drop_table("inbox")
    op.drop_index(op.f("ix_idempotency_keys_kept_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
