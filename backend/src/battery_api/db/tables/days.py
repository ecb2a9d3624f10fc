"""Daily history of each battery, from which remaining life is predicted, and the days that are out of date."""

from datetime import date

from sqlalchemy import REAL, BigInteger, CheckConstraint, Column, Date, Index, Integer, SmallInteger, Table
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey
from battery_contracts.ml import DAILY_COLUMNS

# No foreign key here: a backlog writes 175,000 rows, and the job takes the keys from ``battery`` itself.
battery_day = Table(
    "battery_day",
    Base.metadata,
    Column("battery_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    *(Column(name, REAL) for name in DAILY_COLUMNS),
    Index("ix_battery_day_day", "day"),
)
"""One row per battery and whole day of Asia/Bangkok; null is what is not known of that day."""


class BatteryDayMark(Base):
    """A day (Asia/Bangkok) of a string whose rows of ``battery_day`` are out of date; append-only for ingest."""

    __tablename__ = "battery_day_mark"
    __table_args__ = (Index("ix_battery_day_mark_day_string_id", "day", "string_id"),)

    id: Mapped[BigKey]
    string_id: Mapped[int]
    day: Mapped[date]


class BatteryDayProgress(Base):
    """One row: how many days of strings before the last whole one were ever computed, so that a reader sees growth."""

    __tablename__ = "battery_day_progress"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    past_day_count: Mapped[int] = mapped_column(BigInteger)
