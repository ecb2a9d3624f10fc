"""Keep predictions of remaining life, the runs that make them and what became of the batteries."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024_rul_predictions"
down_revision = "0023_battery_days"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_STATE: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("rul_p10_days", sa.REAL()),
    ("rul_p50_days", sa.REAL()),
    ("rul_p90_days", sa.REAL()),
    ("rul_follow_up_days", sa.REAL()),
    ("rul_source", sa.Text()),
    ("rul_predicted_at", _INSTANT),
    ("rul_is_conflict", sa.Boolean()),
    ("rul_withheld_reason", sa.Text()),
)
_TABLES = ("prediction_run", "rul_prediction", "rul_outcome")


def _days(name: str) -> list[sa.Column[Any]]:
    return [sa.Column(f"{name}_{level}_days", sa.REAL()) for level in ("p10", "p50", "p90")]


def _either(prefix: str) -> str:
    return f"num_nonnulls({prefix}_p10_days, {prefix}_p50_days, {prefix}_p90_days)"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _create_run()
    _create_prediction()
    _create_outcome()
    for name, kind in _STATE:
        op.add_column("battery_state", sa.Column(name, kind, nullable=True))
    op.create_check_constraint(
        op.f("ck_battery_state_rul"),
        "battery_state",
        f"{_either('rul')} = case when rul_predicted_at is null or rul_withheld_reason is not null then 0 else 3 end",
    )


def _create_run() -> None:
    op.create_table(
        "prediction_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("request_key", sa.Uuid(), unique=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text()),
        sa.Column("as_of", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Text()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("holder", sa.Text()),
        sa.Column("heartbeat_at", _INSTANT),
        sa.Column("ml_state", sa.Text()),
        sa.Column("twin_state", sa.Text()),
        sa.Column("past_day_count", sa.BigInteger()),
        sa.Column("drift", JSONB()),
        sa.CheckConstraint("trigger in ('schedule', 'manual')", name="trigger"),
        sa.CheckConstraint("state in ('running', 'succeeded', 'failed', 'interrupted')", name="state"),
        sa.CheckConstraint("(finished_at is null) = (state = 'running')", name="finished"),
    )
    op.create_index(
        "uq_prediction_run_running",
        "prediction_run",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )


def _create_prediction() -> None:
    op.create_table(
        "rul_prediction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("run_id", sa.BigInteger(), sa.ForeignKey("prediction_run.id"), nullable=False),
        sa.Column("battery_id", sa.Integer(), sa.ForeignKey("battery.id"), nullable=False),
        sa.Column("as_of", _INSTANT, nullable=False),
        sa.Column("predicted_at", _INSTANT, nullable=False),
        *_days("ml"),
        sa.Column("ml_withheld_reason", sa.Text()),
        sa.Column("ml_widened", JSONB()),
        sa.Column("ml_reasons", JSONB()),
        sa.Column("ml_model_version", sa.Text()),
        sa.Column("ml_confidence", sa.REAL()),
        sa.Column("follow_up_days", sa.REAL()),
        sa.Column("peer_deviation", sa.REAL()),
        sa.Column("peer_deviation_of", sa.Text()),
        *_days("twin"),
        sa.Column("twin_withheld_reason", sa.Text()),
        sa.Column("twin_provenance", sa.Text()),
        *_days("fused"),
        sa.Column("fused_longer_than_days", sa.REAL()),
        sa.Column("fused_withheld_reason", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("twin_weight", sa.Double()),
        sa.Column("is_conflict", sa.Boolean(), nullable=False),
        sa.Column("difference_pct", sa.REAL()),
        sa.Column("conflict_advice", sa.Text()),
        sa.UniqueConstraint("run_id", "battery_id"),
        sa.CheckConstraint("source in ('fused', 'ml', 'twin', 'none')", name="source"),
        *(
            sa.CheckConstraint(
                f"{_either(name)} = case when {name}_withheld_reason is null then 3 else 0 end", name=name
            )
            for name in ("ml", "twin", "fused")
        ),
    )
    op.create_index("ix_rul_prediction_battery_id_predicted_at", "rul_prediction", ["battery_id", "predicted_at"])


def _create_outcome() -> None:
    op.create_table(
        "rul_outcome",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("battery_id", sa.Integer(), sa.ForeignKey("battery.id"), nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("capacity_pct", sa.REAL()),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("battery_id", "kind"),
        sa.CheckConstraint("kind in ('replaced', 'retired', 'died', 'measured_below_80')", name="kind"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_battery_state_rul"), "battery_state")
    for name, _ in reversed(_STATE):
        op.drop_column("battery_state", name)
    for table in reversed(_TABLES):
        op.drop_table(table)
