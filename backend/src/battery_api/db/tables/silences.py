"""Silences and maintenance windows: which alerts stay out of the inbox, why, until when, and which ones did."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey, IntKey


class Silence(Base):
    """A silence, or a maintenance window (``kind`` test or maintenance), which hides alerts in the same way.

    ``location_id`` is null for a tag, which may be in several locations. ``types`` and ``rule_ids`` null mean any. It
    is in force from ``starts_at`` to ``ended_at``, or else to ``ends_at``; ended before its start it never was. What
    ``covers_safety`` asks for is given from ``approved_at`` on. ``planned_ends_at`` is the plan of a window, whose
    ``ends_at`` is the latest end.
    """

    __tablename__ = "silence"

    id: Mapped[IntKey]
    kind: Mapped[str]
    scope: Mapped[str]
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    system_id: Mapped[int | None] = mapped_column(ForeignKey("battery_system.id"))
    string_id: Mapped[int | None] = mapped_column(ForeignKey("string.id"))
    tag: Mapped[str | None]
    types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    rule_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    planned_ends_at: Mapped[datetime | None]
    reason: Mapped[str]
    covers_safety: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind in ('silence', 'test', 'maintenance')", name="kind"),
        CheckConstraint(
            "case scope when 'location' then location_id is not null and num_nonnulls(system_id, string_id, tag) = 0 "
            "when 'system' then num_nonnulls(location_id, system_id) = 2 and num_nonnulls(string_id, tag) = 0 "
            "when 'string' then num_nonnulls(location_id, string_id) = 2 and num_nonnulls(system_id, tag) = 0 "
            "when 'tag' then tag is not null and num_nonnulls(location_id, system_id, string_id) = 0 else false end",
            name="scope",
        ),
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("(kind = 'silence') = (planned_ends_at is null)", name="plan"),
        CheckConstraint("approved_by_id <> created_by_id", name="approval"),
    )


class SilencedAlert(Base):
    """A span in which a silence hid an alert; without ``until_at`` it hides it now, or did so to the alert's end."""

    __tablename__ = "silenced_alert"

    id: Mapped[BigKey]
    silence_id: Mapped[int] = mapped_column(ForeignKey("silence.id"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    __table_args__ = (
        # One open span of each, even if two replicas bring it up to date: the last guard against duplicates.
        Index(
            "uq_silenced_alert_open", "alert_id", "silence_id", unique=True, postgresql_where=text("until_at is null")
        ),
        Index("ix_silenced_alert_silence_id", "silence_id"),
    )


class StringTag(Base):
    """A word by which people name several strings at once."""

    __tablename__ = "string_tag"

    string_id: Mapped[int] = mapped_column(ForeignKey("string.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True)
