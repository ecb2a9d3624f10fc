"""Access: users, their locations, sessions, API keys and the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from battery_api.db.base import Base, BigKey, IntKey


class User(Base):
    """A person with a role; they see every location if ``all_locations``, otherwise those in ``user_location``."""

    __tablename__ = "user"

    id: Mapped[IntKey]
    username: Mapped[str]
    display_name: Mapped[str | None]
    password_hash: Mapped[str]
    role: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_login_at: Mapped[datetime | None]
    # Incremented whenever rights change: access tokens carry it and are invalid once it differs.
    session_epoch: Mapped[int] = mapped_column(server_default="0")
    all_locations: Mapped[bool] = mapped_column(server_default=text("true"))
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_user_username_lower", text("lower(username)"), unique=True),
        CheckConstraint("role in ('admin', 'engineer', 'viewer')", name="role"),
    )


class UserLocation(Base):
    """A location that a restricted user may see."""

    __tablename__ = "user_location"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), primary_key=True)


class RefreshToken(Base):
    """One refresh token of a session family; used tokens are kept so that their reuse is detected."""

    __tablename__ = "refresh_token"

    id: Mapped[BigKey]
    family_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    opened_at: Mapped[datetime]
    """When the session began, with a password."""
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str | None]


class ApiKey(Base):
    """A key for a machine; only its hash is stored."""

    __tablename__ = "api_key"

    id: Mapped[IntKey]
    name: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    location_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A failed, successful or refused login, for the throttle; the device is a hash."""

    __tablename__ = "login_attempt"

    id: Mapped[BigKey]
    at: Mapped[datetime]
    address: Mapped[str]
    username: Mapped[str]
    succeeded: Mapped[bool]
    device: Mapped[str | None]
    refused: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        Index("ix_login_attempt_address_at", "address", "at"),
        Index("ix_login_attempt_username_at", "username", "at"),
        Index("ix_login_attempt_device_at", "device", "at"),
    )


class AuditLog(Base):
    """One recorded action; append-only (a trigger refuses anything else).

    Position, time and hashes are written by a trigger, see migration 0014.
    """

    __tablename__ = "audit_log"

    id: Mapped[BigKey]
    at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
    actor: Mapped[str]
    actor_id: Mapped[int | None]
    action: Mapped[str]
    target: Mapped[str | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
