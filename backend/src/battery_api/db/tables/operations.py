"""Background work: leases and jobs."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from battery_api.db.base import Base, Json


class Lease(Base):
    """The process that runs a periodic job; another one can take a lease that is not renewed."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[datetime]


class Job(Base):
    """A piece of background work with its progress; finished jobs are kept as a record."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    detail: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
