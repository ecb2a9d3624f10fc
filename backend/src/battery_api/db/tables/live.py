"""One row with the current state per location, string and battery; ingest locks them in this order, pages read them.

Rows are created with the fleet, so a missing reading is a null, never a missing row.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, Real, SmallInt


class LocationState(Base):
    """Newest environment of a location, and the sequence number of its Socket.IO room.

    The rules have seen every reading up to ``judged_until``; from ``rejudge_from`` on, rows that came late or changed
    wait to be judged again, in order of time. Both mean the same in ``string_state``. ``known_ambient_c`` is the newest
    that was measured; the live value of a channel is null while the newest reading lacks it. ``mains_history`` is the
    newest report of the mains and when they were lost within the day before it, see `telemetry.store.mains`.
    """

    __tablename__ = "location_state"

    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    time: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    judged_until: Mapped[datetime | None]
    rejudge_from: Mapped[datetime | None]
    ambient_c: Mapped[Real | None]
    known_ambient_c: Mapped[Real | None]
    known_ambient_at: Mapped[datetime | None]
    humidity_pct: Mapped[Real | None]
    hvac: Mapped[str | None]
    mains: Mapped[bool | None]
    reporting_interval_s: Mapped[Real | None]
    mains_history: Mapped[bytes | None] = mapped_column(LargeBinary)
    rule_state: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class StringState(Base):
    """Newest values and mode of a string, and how far it and its batteries are judged.

    ``flatlines`` is what the rules keep of how the channels of its batteries move, ``trends`` what they keep of its
    steady float current, its heat and its ohmic tests. From ``reestimate_from`` on,
    readings wait for the digital twin: they came late, or changed, or it did not answer. ``snapshot_at`` is the time of
    its newest snapshot. ``runtime_at`` is when the runtime was last computed or tried; where that gave none, the
    columns of its values are null and ``runtime_reason`` says why, so that no earlier one looks present.
    """

    __tablename__ = "string_state"

    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"), primary_key=True, autoincrement=False)
    time: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    judged_until: Mapped[datetime | None]
    rejudge_from: Mapped[datetime | None]
    checkpoint_at: Mapped[datetime | None]
    reestimate_from: Mapped[datetime | None]
    snapshot_at: Mapped[datetime | None]
    voltage_v: Mapped[Real | None]
    current_a: Mapped[Real | None]
    known_current_a: Mapped[Real | None]
    known_current_at: Mapped[datetime | None]
    float_current_ma: Mapped[Real | None]
    known_float_current_ma: Mapped[Real | None]
    known_float_current_at: Mapped[datetime | None]
    ripple_voltage_v: Mapped[Real | None]
    ripple_current_a: Mapped[Real | None]
    mode: Mapped[str | None]
    mode_since: Mapped[datetime | None]
    last_discharge_at: Mapped[datetime | None]
    reporting_interval_s: Mapped[Real | None]
    flatlines: Mapped[bytes | None] = mapped_column(LargeBinary)
    trends: Mapped[bytes | None] = mapped_column(LargeBinary)
    rule_state: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    runtime_at: Mapped[datetime | None]
    runtime_p10_s: Mapped[Real | None]
    runtime_p50_s: Mapped[Real | None]
    runtime_p90_s: Mapped[Real | None]
    runtime_current_a: Mapped[Real | None]
    runtime_load_basis: Mapped[str | None]
    runtime_limiting_battery_id: Mapped[int | None] = mapped_column(ForeignKey("battery.id"))
    runtime_withheld_count: Mapped[SmallInt | None]
    runtime_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(runtime_p10_s, runtime_p50_s, runtime_p90_s) = "
            "case when runtime_at is null or runtime_reason is not null then 0 else 3 end",
            name="runtime",
        ),
        CheckConstraint("runtime_load_basis in ('present', 'last_discharge')", name="runtime_load_basis"),
    )


class BatteryState(Base):
    """Newest values of a battery, its estimator state, its rule state and its open alerts.

    ``internal_resistance_mohm`` is the newest ohmic measurement, taken at ``resistance_at`` and
    ``resistance_temperature_c``; it is usually older than ``time``, since the ohmic value is measured daily.
    ``resistance_estimate_mohm`` is the digital twin's estimate from such measurements. ``known_voltage_v`` and
    ``known_temperature_c`` are the newest values that were measured, each with its time; the live value of a channel is
    null while the newest reading lacks it. ``arrived_at`` is when a reading last came, in order, late or refused for
    its time, and ``arrival_lag_s`` how long after that time it came: a sender whose clock is wrong is not silent.
    The columns ``rul_*`` repeat its newest prediction; a quantile that reaches ``rul_follow_up_days`` means longer.
    """

    __tablename__ = "battery_state"

    battery_id: Mapped[int] = mapped_column(ForeignKey("battery.id"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    time: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    voltage_v: Mapped[Real | None]
    current_a: Mapped[Real | None]
    temperature_c: Mapped[Real | None]
    internal_resistance_mohm: Mapped[Real | None]
    known_voltage_v: Mapped[Real | None]
    known_voltage_at: Mapped[datetime | None]
    known_temperature_c: Mapped[Real | None]
    known_temperature_at: Mapped[datetime | None]
    resistance_at: Mapped[datetime | None]
    resistance_temperature_c: Mapped[Real | None]
    soc_pct: Mapped[Real | None]
    soc_sd_pct: Mapped[Real | None]
    soc_provenance: Mapped[str | None]
    soh_pct: Mapped[Real | None]
    soh_sd_pct: Mapped[Real | None]
    soh_provenance: Mapped[str | None]
    quality: Mapped[SmallInt] = mapped_column(server_default="0")
    reporting_interval_s: Mapped[Real | None]
    resistance_estimate_mohm: Mapped[Real | None]
    resistance_estimate_sd_mohm: Mapped[Real | None]
    twin_state: Mapped[bytes | None] = mapped_column(LargeBinary)
    twin_state_version: Mapped[int] = mapped_column(Integer, server_default="0")
    rule_state: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    open_info: Mapped[SmallInt] = mapped_column(server_default="0")
    open_warning: Mapped[SmallInt] = mapped_column(server_default="0")
    open_critical: Mapped[SmallInt] = mapped_column(server_default="0")
    arrived_at: Mapped[datetime | None]
    arrival_lag_s: Mapped[Real | None]
    count_day: Mapped[datetime | None]
    received_count: Mapped[int] = mapped_column(Integer, server_default="0")
    accepted_count: Mapped[int] = mapped_column(Integer, server_default="0")
    late_count: Mapped[int] = mapped_column(Integer, server_default="0")
    merged_count: Mapped[int] = mapped_column(Integer, server_default="0")
    corrected_count: Mapped[int] = mapped_column(Integer, server_default="0")
    duplicate_count: Mapped[int] = mapped_column(Integer, server_default="0")
    rejected_count: Mapped[int] = mapped_column(Integer, server_default="0")
    rul_p10_days: Mapped[Real | None]
    rul_p50_days: Mapped[Real | None]
    rul_p90_days: Mapped[Real | None]
    rul_follow_up_days: Mapped[Real | None]
    rul_source: Mapped[str | None]
    rul_predicted_at: Mapped[datetime | None]
    rul_is_conflict: Mapped[bool | None]
    rul_withheld_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(rul_p10_days, rul_p50_days, rul_p90_days) = "
            "case when rul_predicted_at is null or rul_withheld_reason is not null then 0 else 3 end",
            name="rul",
        ),
    )


class JudgementCheckpoint(Base):
    """What the rules knew of a string and its batteries when every reading up to ``at`` was judged."""

    __tablename__ = "judgement_checkpoint"

    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
