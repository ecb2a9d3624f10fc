"""The fleet: location > battery_system > string > battery. Codes are public, integer keys internal."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, IntKey, Real, SmallInt


class Location(Base):
    """A data centre."""

    __tablename__ = "location"

    id: Mapped[IntKey]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    region: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    altitude_m: Mapped[Real]
    commissioned_on: Mapped[date]
    utility: Mapped[str]
    climate_zone: Mapped[str]


class BatterySystem(Base):
    """A UPS or rectifier plant with its strings."""

    __tablename__ = "battery_system"

    id: Mapped[IntKey]
    code: Mapped[str] = mapped_column(unique=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    kind: Mapped[str]
    rated_power_kva: Mapped[Real]

    __table_args__ = (CheckConstraint("kind in ('UPS', 'RECTIFIER')", name="kind"),)


class String(Base):
    """Batteries in series, which carry the same current."""

    __tablename__ = "string"

    id: Mapped[IntKey]
    code: Mapped[str] = mapped_column(unique=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("battery_system.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)


class BatteryModelRow(Base):
    """Nameplate of a battery model, per block at 25 °C."""

    __tablename__ = "battery_model"

    id: Mapped[IntKey]
    code: Mapped[str] = mapped_column(unique=True)
    manufacturer: Mapped[str]
    name: Mapped[str]
    chemistry: Mapped[str]
    nominal_voltage_v: Mapped[Real]
    cell_count: Mapped[SmallInt]
    rated_capacity_ah: Mapped[Real]
    float_voltage_low_v: Mapped[Real]
    float_voltage_high_v: Mapped[Real]
    float_compensation_v_per_c: Mapped[Real]
    nominal_resistance_mohm: Mapped[Real]
    max_charge_current_a: Mapped[Real]
    mass_kg: Mapped[Real]
    design_life_years: Mapped[Real]


class Battery(Base):
    """What occupies a position of a string from ``installed_at`` to ``removed_at``.

    The code names the position and is permanent; after a swap a new row has the code, and the old row keeps its
    history. From ``retired_at`` it is out of service: it stays in its position and keeps its history, and nothing
    watches it.
    """

    __tablename__ = "battery"

    id: Mapped[IntKey]
    code: Mapped[str]
    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("battery_model.id"))
    position: Mapped[SmallInt]
    serial_number: Mapped[str]
    installed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_reason: Mapped[str | None]
    baseline_resistance_mohm: Mapped[Real | None]
    baseline_temperature_c: Mapped[Real | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]
    retired_reason: Mapped[str | None]

    __table_args__ = (
        Index("uq_battery_code_present", "code", unique=True, postgresql_where=text("removed_at is null")),
        UniqueConstraint("code", "installed_at"),
        UniqueConstraint("serial_number"),
        CheckConstraint("removed_at is null or removed_at > installed_at", name="span"),
        CheckConstraint(
            "(retired_at is null) = (retired_by is null) and (retired_at is null) = (retired_reason is null)",
            name="retirement",
        ),
    )
