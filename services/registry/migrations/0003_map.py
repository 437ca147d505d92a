"""The whole map: service-map attributes, history, freshness and doubts, search, unmet needs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.registry.directory.indexing import points_of, terms_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("change_id", sa.UUID(), nullable=False),
        sa.Column("resource_id", sa.UUID(), nullable=False),
        sa.Column("resource_version", sa.Integer(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("organization_id", sa.UUID(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_resource_id_change_id", "changes", ["resource_id", "change_id"], unique=False)
    op.create_table(
        "review_intervals",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=False),
        sa.Column("hide_days", sa.Integer(), nullable=True),
        sa.Column("set_by", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("review_days > 0 AND hide_days >= 0", name=op.f("ck_review_intervals_days_ahead")),
        sa.PrimaryKeyConstraint("type", name=op.f("pk_review_intervals")),
    )
    op.create_table(
        "unmet_needs",
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("match_id", sa.UUID(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("needs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_unmet_needs")),
    )
    op.create_index("ix_unmet_needs_country_area", "unmet_needs", ["country", "area"], unique=False)
    op.create_table(
        "doubts",
        sa.Column("doubt_id", sa.UUID(), nullable=False),
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.UUID(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.UUID(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.service_id"], name=op.f("fk_doubts_service_id_services")),
        sa.PrimaryKeyConstraint("doubt_id", name=op.f("pk_doubts")),
    )
    op.create_index("ix_doubts_service_id_doubt_id", "doubts", ["service_id", "doubt_id"], unique=False)
    op.create_table(
        "service_points",
        sa.Column("service_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["services.service_id"],
            name=op.f("fk_service_points_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("service_id", "number", name=op.f("pk_service_points")),
    )
    op.create_index("ix_service_points_place", "service_points", ["latitude", "longitude"], unique=False)
    op.add_column(
        "organizations", sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column(
        "organizations",
        sa.Column(
            "professional_standing",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "organizations",
        sa.Column(
            "registrations",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column("organizations", sa.Column("psea_trained_on", sa.Date(), nullable=True))
    op.add_column("programmes", sa.Column("confirmed_by", sa.UUID(), nullable=True))
    op.add_column("services", sa.Column("total_places", sa.Integer(), nullable=True))
    op.add_column("services", sa.Column("funded_places", sa.Integer(), nullable=True))
    op.add_column("services", sa.Column("capacity_updated_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column(
        "services",
        sa.Column(
            "schedules",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column("services", sa.Column("free", sa.Boolean(), nullable=True))
    op.add_column(
        "services",
        sa.Column(
            "costs",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "services",
        sa.Column("excluded_groups", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("services", sa.Column("locals_take_part", sa.Boolean(), nullable=True))
    op.add_column("services", sa.Column("green_job", sa.Boolean(), nullable=True))
    op.add_column(
        "services",
        sa.Column("environmental_screening", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "services",
        sa.Column(
            "service_map",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("services", sa.Column("confirmed_by", sa.UUID(), nullable=True))
    op.add_column("services", sa.Column("review_by", sa.Date(), nullable=True))
    op.add_column("services", sa.Column("staleness", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "services", sa.Column("doubtful", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column(
        "services", sa.Column("terms", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.drop_index(op.f("ix_services_areas"), table_name="services", postgresql_using="gin")
    op.create_index("ix_services_listed", "services", ["staleness", "service_id"], unique=False)
    op.create_index(
        "ix_services_review_by",
        "services",
        ["review_by", "service_id"],
        unique=False,
        postgresql_where=sa.text("review_by IS NOT NULL"),
    )
    op.create_index("ix_services_terms", "services", ["terms"], unique=False, postgresql_using="gin")
    _fill()


FILLED = {
    "organizations": ("roles", "professional_standing", "registrations"),
    "services": ("schedules", "costs", "excluded_groups", "service_map", "staleness", "doubtful", "terms"),
}
"""Table -> columns that need a value in rows that were there before."""


def _fill() -> None:
    """What was published is reviewed after the ordinary interval; what is searched is derived from what was entered."""
    for table, columns in FILLED.items():
        for column in columns:
            op.alter_column(table, column, server_default=None)
    op.execute("UPDATE services SET review_by = confirmed_on + 180 WHERE state = 'published'")
    op.execute(
        "INSERT INTO timers (kind, aggregate_id, due_at) SELECT 'service_goes_stale', service_id,"
        " (review_by + 1)::timestamp AT TIME ZONE 'UTC' FROM services WHERE review_by IS NOT NULL"
    )
    services = sa.table(
        "services",
        *(sa.column(name) for name in ("service_id", "name", "description", "type")),
        sa.column("translations", postgresql.JSONB()),
        sa.column("locations", postgresql.JSONB()),
        sa.column("covered_areas", postgresql.ARRAY(sa.Text())),
        sa.column("terms", postgresql.ARRAY(sa.Text())),
    )
    points = sa.table(
        "service_points", *(sa.column(name) for name in ("service_id", "number", "latitude", "longitude"))
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(services)).all():
        texts = [row.name, *row.translations.values(), row.description]
        terms = terms_of(texts, row.type, row.covered_areas)
        connection.execute(sa.update(services).where(services.c.service_id == row.service_id).values(terms=terms))
        if found := points_of(row.locations):
            connection.execute(sa.insert(points), [{"service_id": row.service_id, **each} for each in found])


def downgrade() -> None:
    op.drop_index("ix_services_terms", table_name="services", postgresql_using="gin")
    op.drop_index("ix_services_review_by", table_name="services", postgresql_where=sa.text("review_by IS NOT NULL"))
    op.drop_index("ix_services_listed", table_name="services")
    op.create_index(op.f("ix_services_areas"), "services", ["areas"], unique=False, postgresql_using="gin")
    op.drop_column("services", "terms")
    op.drop_column("services", "doubtful")
    op.drop_column("services", "staleness")
    op.drop_column("services", "review_by")
    op.drop_column("services", "confirmed_by")
    op.drop_column("services", "service_map")
    op.drop_column("services", "environmental_screening")
    op.drop_column("services", "green_job")
    op.drop_column("services", "locals_take_part")
    op.drop_column("services", "excluded_groups")
    op.drop_column("services", "costs")
    op.drop_column("services", "free")
    op.drop_column("services", "schedules")
    op.drop_column("services", "capacity_updated_at")
    op.drop_column("services", "funded_places")
    op.drop_column("services", "total_places")
    op.drop_column("programmes", "confirmed_by")
    op.drop_column("organizations", "psea_trained_on")
    op.drop_column("organizations", "registrations")
    op.drop_column("organizations", "professional_standing")
    op.drop_column("organizations", "roles")
    op.drop_index("ix_service_points_place", table_name="service_points")
    op.drop_table("service_points")
    op.drop_index("ix_doubts_service_id_doubt_id", table_name="doubts")
    op.drop_table("doubts")
    op.drop_index("ix_unmet_needs_country_area", table_name="unmet_needs")
    op.drop_table("unmet_needs")
    op.drop_table("review_intervals")
    op.drop_index("ix_changes_resource_id_change_id", table_name="changes")
    op.drop_table("changes")
