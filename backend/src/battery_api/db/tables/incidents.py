"""Incidents, their immutable timeline, and the keys of requests that must not be carried out twice."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, BigKey


class Incident(Base):
    """The alerts of one trouble in a string, or in a location where ``string_id`` is null.

    The columns up to ``types`` are those of its alerts taken together, kept so that a list needs no count.
    ``acknowledged_severity`` is the severity that was acknowledged; what gets worse needs a new acknowledgement.
    ``silence_id`` is the silence or maintenance window that keeps it out of the inbox.
    """

    __tablename__ = "incident"

    id: Mapped[BigKey]
    family: Mapped[str]
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    system_id: Mapped[int | None] = mapped_column(ForeignKey("battery_system.id"))
    string_id: Mapped[int | None] = mapped_column(ForeignKey("string.id"))
    battery_id: Mapped[int | None] = mapped_column(ForeignKey("battery.id"))
    lead_alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id", use_alter=True))
    severity: Mapped[str]
    respond_within: Mapped[str]
    opened_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    alert_count: Mapped[int] = mapped_column(server_default="0")
    active_count: Mapped[int] = mapped_column(server_default="0")
    unacknowledged_count: Mapped[int] = mapped_column(server_default="0")
    battery_count: Mapped[int] = mapped_column(server_default="0")
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    acknowledged_severity: Mapped[str | None]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    snoozed_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    silence_id: Mapped[int | None] = mapped_column(ForeignKey("silence.id"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    revision: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_incident_location_id_opened_at", "location_id", "opened_at"),
        Index("ix_incident_opened_at", "opened_at"),
        Index(
            "ix_incident_active", "location_id", postgresql_where=text("cleared_at is null and merged_into_id is null")
        ),
        Index("ix_incident_snoozed_until", "snoozed_until", postgresql_where=text("snoozed_until is not null")),
        CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("cleared_at is null or cleared_at >= opened_at", name="span"),
        CheckConstraint("(acknowledged_at is null) = (acknowledged_severity is null)", name="acknowledged"),
        CheckConstraint("merged_into_id <> id", name="merged"),
    )


class IncidentEventRow(Base):
    """One entry of an incident's timeline; never changed or deleted (a trigger refuses it)."""

    __tablename__ = "incident_event"

    id: Mapped[BigKey]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    actor: Mapped[str | None]
    note: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


class IdempotencyKey(Base):
    """The answer to a request that carried a key, for as long as the sender may repeat it."""

    __tablename__ = "idempotency_key"

    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    """Digest of the address and the body, so that a key that is used twice for two things is found out."""
    response: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(index=True)
