"""Silences and maintenance windows, the alerts that they hide, and the tags of strings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0027_silences"
down_revision = "0026_string_trends"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_SCOPE = (
    "case scope when 'location' then location_id is not null and num_nonnulls(system_id, string_id, tag) = 0 "
    "when 'system' then num_nonnulls(location_id, system_id) = 2 and num_nonnulls(string_id, tag) = 0 "
    "when 'string' then num_nonnulls(location_id, string_id) = 2 and num_nonnulls(system_id, tag) = 0 "
    "when 'tag' then tag is not null and num_nonnulls(location_id, system_id, string_id) = 0 else false end"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _create_silence()
    op.create_index(op.f("ix_silence_location_id"), "silence", ["location_id"])
    op.create_index(op.f("ix_silence_ends_at"), "silence", ["ends_at"])
    op.create_table(
        "silenced_alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "silence_id",
            sa.Integer(),
            sa.ForeignKey("silence.id", name=op.f("fk_silenced_alert_silence_id_silence")),
            nullable=False,
        ),
        sa.Column(
            "alert_id",
            sa.BigInteger(),
            sa.ForeignKey("alert.id", name=op.f("fk_silenced_alert_alert_id_alert")),
            nullable=False,
        ),
        sa.Column("from_at", _INSTANT, nullable=False),
        sa.Column("until_at", _INSTANT),
    )
    op.create_index(
        "uq_silenced_alert_open",
        "silenced_alert",
        ["alert_id", "silence_id"],
        unique=True,
        postgresql_where=sa.text("until_at is null"),
    )
    op.create_index("ix_silenced_alert_silence_id", "silenced_alert", ["silence_id"])
    op.create_table(
        "string_tag",
        sa.Column(
            "string_id",
            sa.Integer(),
            sa.ForeignKey("string.id", name=op.f("fk_string_tag_string_id_string")),
            primary_key=True,
        ),
        sa.Column("tag", sa.Text(), primary_key=True),
    )
    op.create_index(op.f("ix_string_tag_tag"), "string_tag", ["tag"])
    op.add_column("incident", sa.Column("silence_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_incident_silence_id_silence"), "incident", "silence", ["silence_id"], ["id"])


def _reference(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id", name=op.f(f"fk_silence_{name}_{table}")))


def _create_silence() -> None:
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        _reference("location_id", "location"),
        _reference("system_id", "battery_system"),
        _reference("string_id", "string"),
        sa.Column("tag", sa.Text()),
        sa.Column("types", ARRAY(sa.Text())),
        sa.Column("rule_ids", ARRAY(sa.Text())),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("planned_ends_at", _INSTANT),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("covers_safety", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _reference("created_by_id", "user"),
        sa.Column("approved_at", _INSTANT),
        sa.Column("approved_by", sa.Text()),
        _reference("approved_by_id", "user"),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.Text()),
        sa.CheckConstraint("kind in ('silence', 'test', 'maintenance')", name=op.f("ck_silence_kind")),
        sa.CheckConstraint(_SCOPE, name=op.f("ck_silence_scope")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_silence_span")),
        sa.CheckConstraint("(kind = 'silence') = (planned_ends_at is null)", name=op.f("ck_silence_plan")),
        sa.CheckConstraint("approved_by_id <> created_by_id", name=op.f("ck_silence_approval")),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("fk_incident_silence_id_silence"), "incident", type_="foreignkey")
    op.drop_column("incident", "silence_id")
    op.drop_table("string_tag")
    op.drop_table("silenced_alert")
    op.drop_table("silence")
