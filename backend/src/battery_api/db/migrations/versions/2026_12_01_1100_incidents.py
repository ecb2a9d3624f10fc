"""Group alerts into incidents, with what people do about them.

Alerts of before get theirs from the job that adopts alerts without one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0025_incidents"
down_revision = "0024_rul_predictions"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _create_incident()
    op.create_index("ix_incident_location_id_opened_at", "incident", ["location_id", "opened_at"])
    op.create_index("ix_incident_opened_at", "incident", ["opened_at"])
    op.create_index(
        "ix_incident_active",
        "incident",
        ["location_id"],
        postgresql_where=sa.text("cleared_at is null and merged_into_id is null"),
    )
    op.create_index(
        "ix_incident_snoozed_until",
        "incident",
        ["snoozed_until"],
        postgresql_where=sa.text("snoozed_until is not null"),
    )
    _create_timeline()
    op.create_table(
        "idempotency_key",
        sa.Column("principal", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("response", JSONB()),
        sa.Column("created_at", _INSTANT, nullable=False),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"])
    op.add_column("alert", sa.Column("incident_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_alert_incident_id_incident"), "alert", "incident", ["incident_id"], ["id"])
    op.create_index("ix_alert_incident_id", "alert", ["incident_id"])
    op.create_foreign_key(op.f("fk_incident_lead_alert_id_alert"), "incident", "alert", ["lead_alert_id"], ["id"])


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _reference(name: str, table: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, sa.ForeignKey(f"{table}.id", name=op.f(f"fk_incident_{name}_{table}")), nullable=True)


def _create_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column(
            "location_id",
            sa.Integer(),
            sa.ForeignKey("location.id", name=op.f("fk_incident_location_id_location")),
            nullable=False,
        ),
        _reference("system_id", "battery_system", sa.Integer()),
        _reference("string_id", "string", sa.Integer()),
        _reference("battery_id", "battery", sa.Integer()),
        sa.Column("lead_alert_id", sa.BigInteger(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("respond_within", sa.Text(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("cleared_at", _INSTANT),
        _count("alert_count"),
        _count("active_count"),
        _count("unacknowledged_count"),
        _count("battery_count"),
        sa.Column("types", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("acknowledged_at", _INSTANT),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_severity", sa.Text()),
        _reference("assignee_id", "user", sa.Integer()),
        sa.Column("snoozed_until", _INSTANT),
        sa.Column("resolved_at", _INSTANT),
        sa.Column("resolved_by", sa.Text()),
        _reference("merged_into_id", "incident", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.CheckConstraint("severity in ('info', 'warning', 'critical')", name=op.f("ck_incident_severity")),
        sa.CheckConstraint("cleared_at is null or cleared_at >= opened_at", name=op.f("ck_incident_span")),
        sa.CheckConstraint(
            "(acknowledged_at is null) = (acknowledged_severity is null)", name=op.f("ck_incident_acknowledged")
        ),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_incident_merged")),
    )


def _create_timeline() -> None:
    op.create_table(
        "incident_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "incident_id",
            sa.BigInteger(),
            sa.ForeignKey("incident.id", name=op.f("fk_incident_event_incident_id_incident")),
            nullable=False,
        ),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("recorded_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), sa.ForeignKey("user.id", name=op.f("fk_incident_event_actor_id_user"))),
        sa.Column("actor", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("data", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.create_index(op.f("ix_incident_event_incident_id"), "incident_event", ["incident_id"])
    op.execute(
        "create trigger incident_event_append_only before update or delete on incident_event "
        "for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("fk_incident_lead_alert_id_alert"), "incident", type_="foreignkey")
    op.drop_constraint(op.f("fk_alert_incident_id_incident"), "alert", type_="foreignkey")
    op.drop_index("ix_alert_incident_id", table_name="alert")
    op.drop_column("alert", "incident_id")
    op.drop_table("idempotency_key")
    op.drop_table("incident_event")
    op.drop_table("incident")
