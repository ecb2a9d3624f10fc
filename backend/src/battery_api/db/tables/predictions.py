"""Predictions of remaining life: the runs that made them, every prediction, and what became of the batteries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey, Instant, Real


class PredictionRun(Base):
    """One run over the fleet, at most one of which is running.

    ``holder`` is the process that works on it, null while it waits for one; a holder whose ``heartbeat_at`` stops has
    died. ``ml_state`` and ``twin_state`` say whether the services answered throughout. ``drift`` is null
    without a model.
    """

    __tablename__ = "prediction_run"

    id: Mapped[BigKey]
    request_key: Mapped[UUID | None] = mapped_column(Uuid, unique=True)
    trigger: Mapped[str]
    requested_by: Mapped[str | None]
    as_of: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    state: Mapped[str]
    step: Mapped[str | None]
    done: Mapped[int]
    total: Mapped[int | None]
    error: Mapped[str | None]
    holder: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    ml_state: Mapped[str | None]
    twin_state: Mapped[str | None]
    past_day_count: Mapped[int | None] = mapped_column(BigInteger)
    """Past days of strings that were ever computed when it began."""
    drift: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("uq_prediction_run_running", "state", unique=True, postgresql_where=text("state = 'running'")),
        CheckConstraint("trigger in ('schedule', 'manual')", name="trigger"),
        CheckConstraint("state in ('running', 'succeeded', 'failed', 'interrupted')", name="state"),
        CheckConstraint("(finished_at is null) = (state = 'running')", name="finished"),
    )


class RulPredictionRow(Base):
    """What one run predicts of one battery; never changed. Days are null where a source withholds them."""

    __tablename__ = "rul_prediction"

    id: Mapped[BigKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("prediction_run.id"))
    battery_id: Mapped[int] = mapped_column(ForeignKey("battery.id"))
    as_of: Mapped[datetime]
    predicted_at: Mapped[datetime]
    ml_p10_days: Mapped[Real | None]
    ml_p50_days: Mapped[Real | None]
    ml_p90_days: Mapped[Real | None]
    ml_withheld_reason: Mapped[str | None]
    ml_widened: Mapped[list[Any] | None] = mapped_column(JSONB)
    ml_reasons: Mapped[list[Any] | None] = mapped_column(JSONB)
    ml_model_version: Mapped[str | None]
    ml_confidence: Mapped[Real | None]
    follow_up_days: Mapped[Real | None]
    peer_deviation: Mapped[Real | None]
    peer_deviation_of: Mapped[str | None]
    twin_p10_days: Mapped[Real | None]
    twin_p50_days: Mapped[Real | None]
    twin_p90_days: Mapped[Real | None]
    twin_withheld_reason: Mapped[str | None]
    twin_provenance: Mapped[str | None]
    fused_p10_days: Mapped[Real | None]
    fused_p50_days: Mapped[Real | None]
    fused_p90_days: Mapped[Real | None]
    fused_longer_than_days: Mapped[Real | None]
    fused_withheld_reason: Mapped[str | None]
    source: Mapped[str]
    twin_weight: Mapped[float | None] = mapped_column(Double)
    is_conflict: Mapped[bool]
    difference_pct: Mapped[Real | None]
    conflict_advice: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("run_id", "battery_id"),
        Index("ix_rul_prediction_battery_id_predicted_at", "battery_id", "predicted_at"),
        CheckConstraint("source in ('fused', 'ml', 'twin', 'none')", name="source"),
        *(
            CheckConstraint(
                f"num_nonnulls({name}_p10_days, {name}_p50_days, {name}_p90_days) = "
                f"case when {name}_withheld_reason is null then 3 else 0 end",
                name=name,
            )
            for name in ("ml", "twin", "fused")
        ),
    )


class RulOutcome(Base):
    """What became of a battery, against which predictions are judged; never changed."""

    __tablename__ = "rul_outcome"

    id: Mapped[BigKey]
    battery_id: Mapped[int] = mapped_column(ForeignKey("battery.id"))
    occurred_at: Mapped[datetime]
    kind: Mapped[str]
    capacity_pct: Mapped[Real | None]
    recorded_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("battery_id", "kind"),
        CheckConstraint("kind in ('replaced', 'retired', 'died', 'measured_below_80')", name="kind"),
    )
