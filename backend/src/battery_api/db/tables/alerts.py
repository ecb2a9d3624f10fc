"""Alerts, their immutable timeline, and overrides of the rules that raise them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey, IntKey


class Alert(Base):
    """A condition over a span of event time; ``subject`` is the code of the battery, string or location.

    ``end_reason`` is set if the alert cleared because its subject ended, not because the condition did.
    """

    __tablename__ = "alert"

    id: Mapped[BigKey]
    type: Mapped[str]
    severity: Mapped[str]
    respond_within: Mapped[str]
    rule_id: Mapped[str | None]
    subject: Mapped[str]
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    system_id: Mapped[int | None] = mapped_column(ForeignKey("battery_system.id"))
    string_id: Mapped[int | None] = mapped_column(ForeignKey("string.id"))
    battery_id: Mapped[int | None] = mapped_column(ForeignKey("battery.id"))
    raised_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    resolved_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    episode_count: Mapped[int] = mapped_column(server_default="1")
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    value: Mapped[float | None]
    threshold: Mapped[float | None]
    unit: Mapped[str | None]
    peak_value: Mapped[float | None]
    message_code: Mapped[str]
    message_params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    end_reason: Mapped[str | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))

    __table_args__ = (
        # One open alert per subject and type, even if two writers raise it: the last guard against duplicates.
        Index("uq_alert_open", "subject", "type", unique=True, postgresql_where=text("cleared_at is null")),
        Index("ix_alert_raised_at", "raised_at"),
        Index("ix_alert_location_id_raised_at", "location_id", "raised_at"),
        Index("ix_alert_battery_id", "battery_id"),
        Index("ix_alert_incident_id", "incident_id"),
        CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("cleared_at is null or cleared_at >= raised_at", name="span"),
        CheckConstraint("end_reason in ('replaced', 'retired')", name="end_reason"),
    )


class AlertEventRow(Base):
    """One entry of an alert's timeline; never changed or deleted (a trigger refuses it)."""

    __tablename__ = "alert_event"

    id: Mapped[BigKey]
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


class AlertRuleOverride(Base):
    """Values that replace a rule's defaults within a scope; the narrowest scope takes precedence."""

    __tablename__ = "alert_rule_override"

    id: Mapped[IntKey]
    rule_id: Mapped[str]
    scope: Mapped[str]
    scope_id: Mapped[str]
    raise_value: Mapped[float | None]
    clear_value: Mapped[float | None]
    hold_s: Mapped[float | None]
    clear_hold_s: Mapped[float | None]
    enabled: Mapped[bool | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_alert_rule_override_rule_id_scope_scope_id", "rule_id", "scope", "scope_id", unique=True),
        CheckConstraint("scope in ('model', 'location', 'string', 'battery')", name="scope"),
    )
