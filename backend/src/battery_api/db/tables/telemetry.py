"""Time series. The migrations create partitions, hypertables and roll-ups through ``db.timescale``."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey, Instant

ROLLUP_CHANNELS = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm", "soc_pct", "soh_pct")
"""Channels of a battery that the roll-ups keep, each as count, min, max, sum, last, integral and held time."""

# No foreign keys here: they would be checked for each row of the most frequent insert, and ingest resolves ids itself.
telemetry = Table(
    "telemetry",
    Base.metadata,
    Column("battery_id", Integer, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), primary_key=True),
    Column("voltage_v", REAL),
    Column("current_a", REAL),
    Column("temperature_c", REAL),
    Column("internal_resistance_mohm", REAL),
    Column("soc_pct", REAL),
    Column("soh_pct", REAL),
    Column("quality", SmallInteger, nullable=False, server_default="0"),
)
string_telemetry = Table(
    "string_telemetry",
    Base.metadata,
    Column("string_id", Integer, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), primary_key=True),
    Column("voltage_v", REAL),
    Column("current_a", REAL),
    Column("float_current_ma", REAL),
    Column("ripple_voltage_v", REAL),
    Column("ripple_current_a", REAL),
    Column("mode", Text),
    Column("reported_mode", Text),
)
site_environment = Table(
    "site_environment",
    Base.metadata,
    Column("location_id", Integer, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), primary_key=True),
    Column("ambient_c", REAL),
    Column("humidity_pct", REAL),
    Column("hvac", Text),
    Column("mains", SmallInteger),
)


def rollup_columns() -> list[Column[object]]:
    """Return the columns of a roll-up: key, row count, and seven values per channel.

    The integral, in the channel's unit times seconds, over the held time is the time-weighted mean. Both are null in
    rows from before there were weights. A bucket into which a value only holds from before has a row count of 0.
    """
    columns: list[Column[object]] = [
        Column("battery_id", Integer, primary_key=True, autoincrement=False),
        Column("bucket", DateTime(timezone=True), primary_key=True),
        Column("row_count", Integer, nullable=False),
    ]
    for channel in ROLLUP_CHANNELS:
        columns += [
            Column(f"{channel}_count", Integer, nullable=False),
            Column(f"{channel}_min", REAL),
            Column(f"{channel}_max", REAL),
            Column(f"{channel}_sum", Double),
            Column(f"{channel}_last", REAL),
            Column(f"{channel}_integral", Double),
            Column(f"{channel}_held_s", Double),
        ]
    return columns


telemetry_hourly = Table("telemetry_hourly", Base.metadata, *rollup_columns())
telemetry_daily = Table("telemetry_daily", Base.metadata, *rollup_columns())


class RollupMark(Base):
    """An hour whose roll-up is out of date, answered from raw rows; append-only so that ingest never waits."""

    __tablename__ = "rollup_mark"
    __table_args__ = (Index("ix_rollup_mark_string_id_hour", "string_id", "hour"),)

    id: Mapped[BigKey]
    string_id: Mapped[int]
    hour: Mapped[Instant]


class ReadingCount(Base):
    """Readings of a battery on a day (Asia/Bangkok) by outcome; the current day is in ``battery_state``."""

    __tablename__ = "reading_count"

    battery_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    received: Mapped[int] = mapped_column(BigInteger, server_default="0")
    accepted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    late: Mapped[int] = mapped_column(BigInteger, server_default="0")
    merged: Mapped[int] = mapped_column(BigInteger, server_default="0")
    corrected: Mapped[int] = mapped_column(BigInteger, server_default="0")
    duplicate: Mapped[int] = mapped_column(BigInteger, server_default="0")
    rejected: Mapped[int] = mapped_column(BigInteger, server_default="0")


class OverwrittenReading(Base):
    """Values that a correction replaced, as they were stored; what was dangerous is still judged."""

    __tablename__ = "overwritten_reading"

    id: Mapped[BigKey]
    kind: Mapped[str]
    subject_id: Mapped[int]
    time: Mapped[Instant]
    overwritten_at: Mapped[Instant] = mapped_column(server_default=text("now()"))
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_dangerous: Mapped[bool]

    __table_args__ = (
        Index("ix_overwritten_reading_kind_subject_id_time", "kind", "subject_id", "time"),
        CheckConstraint("kind in ('battery', 'string', 'location')", name="kind"),
    )
