"""Records of the digital twin: discharges with their evidence, and the last estimate of each battery per day."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey, Instant, IntKey, Real


class DischargeMark(Base):
    """A span in which rows of a string may create or change a discharge; append-only so that ingest never waits."""

    __tablename__ = "discharge_mark"

    id: Mapped[BigKey]
    string_id: Mapped[int]
    start_at: Mapped[Instant]
    end_at: Mapped[Instant]


class DischargeEvent(Base):
    """A span in which a string was discharged.

    ``is_open`` while more readings may extend it. ``complete`` if there is no gap in the readings from before its start
    to after its end; otherwise ``drawn_ah`` is a lower bound.
    """

    __tablename__ = "discharge_event"

    id: Mapped[IntKey]
    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    mode: Mapped[str]
    drawn_ah: Mapped[Real]
    depth_pct: Mapped[Real]
    mean_current_a: Mapped[Real]
    min_voltage_v: Mapped[Real | None]
    lowest_battery_id: Mapped[int | None] = mapped_column(ForeignKey("battery.id"))
    mean_temperature_c: Mapped[Real | None]
    complete: Mapped[bool]
    is_open: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("string_id", "started_at"),
        Index("ix_discharge_event_is_open", "string_id", postgresql_where=text("is_open")),
        CheckConstraint("mode in ('discharge', 'test')", name="mode"),
        CheckConstraint("ended_at >= started_at", name="span"),
    )


class DischargeBatteryRow(Base):
    """One battery in a discharge, with a state of health if the discharge was deep enough to infer it."""

    __tablename__ = "discharge_battery"

    event_id: Mapped[int] = mapped_column(
        ForeignKey("discharge_event.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    battery_id: Mapped[int] = mapped_column(ForeignKey("battery.id"), primary_key=True, autoincrement=False, index=True)
    end_voltage_v: Mapped[Real | None]
    min_voltage_v: Mapped[Real | None]
    mean_temperature_c: Mapped[Real | None]
    soh_pct: Mapped[Real | None]
    soh_sd_pct: Mapped[Real | None]
    soh_provenance: Mapped[str | None]


class DigitalTwinState(Base):
    """The last estimate of a battery on a day (Asia/Bangkok); past days change only when readings of them come late."""

    __tablename__ = "digital_twin_state"

    battery_id: Mapped[int] = mapped_column(ForeignKey("battery.id"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    time: Mapped[datetime]
    soc_pct: Mapped[Real | None]
    soc_sd_pct: Mapped[Real | None]
    soc_provenance: Mapped[str | None]
    soh_pct: Mapped[Real | None]
    soh_sd_pct: Mapped[Real | None]
    soh_provenance: Mapped[str | None]
    resistance_mohm: Mapped[Real | None]
    resistance_sd_mohm: Mapped[Real | None]
    parameters_version: Mapped[str | None]


class TwinSnapshot(Base):
    """What the twin knew of a string when it had estimated every reading up to ``at``.

    ``states`` are the estimator states of the batteries ``battery_ids``, ``string`` what of the string decides how the
    next readings are taken. ``is_kept`` marks the first of a day and those before a discharge; the others serve for
    what comes late within a day. Before one that ``is_first`` there are readings without snapshots.
    """

    __tablename__ = "twin_snapshot"

    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    is_kept: Mapped[bool]
    is_first: Mapped[bool] = mapped_column(Boolean, server_default="false")
    string: Mapped[dict[str, Any]] = mapped_column(JSONB)
    battery_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    states: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
