"""Create alerts, their timeline and rule overrides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_alerts"
down_revision = "0004_live"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "alert_rule_override",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("raise_value", sa.Double(), nullable=True),
        sa.Column("clear_value", sa.Double(), nullable=True),
        sa.Column("hold_s", sa.Double(), nullable=True),
        sa.Column("clear_hold_s", sa.Double(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "scope in ('model', 'location', 'string', 'battery')", name=op.f("ck_alert_rule_override_scope")
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], name=op.f("fk_alert_rule_override_updated_by_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule_override")),
    )
    op.create_index(
        "uq_alert_rule_override_rule_id_scope_scope_id",
        "alert_rule_override",
        ["rule_id", "scope", "scope_id"],
        unique=True,
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("respond_within", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=True),
        sa.Column("string_id", sa.Integer(), nullable=True),
        sa.Column("battery_id", sa.Integer(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Integer(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("peak_value", sa.Double(), nullable=True),
        sa.Column("message_code", sa.Text(), nullable=False),
        sa.Column(
            "message_params",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint("severity in ('info', 'warning', 'critical')", name=op.f("ck_alert_severity")),
        sa.CheckConstraint("cleared_at is null or cleared_at >= raised_at", name=op.f("ck_alert_span")),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["user.id"], name=op.f("fk_alert_acknowledged_by_user")),
        sa.ForeignKeyConstraint(["battery_id"], ["battery.id"], name=op.f("fk_alert_battery_id_battery")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_alert_location_id_location")),
        sa.ForeignKeyConstraint(["resolved_by"], ["user.id"], name=op.f("fk_alert_resolved_by_user")),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_alert_string_id_string")),
        sa.ForeignKeyConstraint(["system_id"], ["battery_system.id"], name=op.f("fk_alert_system_id_battery_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_battery_id", "alert", ["battery_id"], unique=False)
    op.create_index("ix_alert_location_id_raised_at", "alert", ["location_id", "raised_at"], unique=False)
    op.create_index("ix_alert_raised_at", "alert", ["raised_at"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["subject", "type"],
        unique=True,
        postgresql_where=sa.text("cleared_at is null and resolved_at is null"),
    )
    op.create_table(
        "alert_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_alert_event_actor_id_user")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_event_alert_id_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
    )
    op.create_index(op.f("ix_alert_event_alert_id"), "alert_event", ["alert_id"], unique=False)
    op.execute(
        "create trigger alert_event_append_only before update or delete on alert_event "
        "for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index(op.f("ix_alert_event_alert_id"), table_name="alert_event")
    op.drop_table("alert_event")
    op.drop_index(
        "uq_alert_open", table_name="alert", postgresql_where=sa.text("cleared_at is null and resolved_at is null")
    )
    op.drop_index("ix_alert_raised_at", table_name="alert")
    op.drop_index("ix_alert_location_id_raised_at", table_name="alert")
    op.drop_index("ix_alert_battery_id", table_name="alert")
    op.drop_table("alert")
    op.drop_index("uq_alert_rule_override_rule_id_scope_scope_id", table_name="alert_rule_override")
    op.drop_table("alert_rule_override")
