"""Periodic background jobs, each on one replica at a time under a lease in the database.

None runs while the disk is full: what they write would take the room that the database needs to be read.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram

from battery_api.context import ProcessContext
from battery_api.db.leases import take_lease

_log = structlog.get_logger(__name__)
_RUN_SECONDS = Histogram("job_run_seconds", "Duration of one run of a periodic job.", ("job",))
_FAILED = Counter("job_failures_total", "Failed runs of a periodic job.", ("job",))


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """Work that runs every ``interval_s`` on one replica."""

    name: str
    interval_s: float
    run_once: Callable[[], Awaitable[object]]


class JobRunner:
    """Runs the periodic jobs of this process while it holds their leases."""

    def __init__(self, context: ProcessContext, jobs: list[PeriodicJob]) -> None:
        self._context = context
        self._jobs = jobs
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"

    async def run(self) -> None:
        """Run every job in its own loop until cancelled."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._loop(job), name=f"job-{job.name}")

    async def _loop(self, job: PeriodicJob) -> None:
        while True:
            try:
                if not self._context.disk.is_full and await self._take_lease(job):
                    with _RUN_SECONDS.labels(job.name).time():
                        await job.run_once()
            except Exception as error:  # noqa: BLE001  # a job must survive a database restart; the failure is counted and logged
                _FAILED.labels(job.name).inc()
                _log.warning("job failed", job=job.name, error=repr(error))
            await asyncio.sleep(job.interval_s)

    async def _take_lease(self, job: PeriodicJob) -> bool:
        now = self._context.clock.now()
        # After three missed runs, and never less than half a minute, another replica takes the job over.
        duration = timedelta(seconds=max(30.0, 3 * job.interval_s))
        async with self._context.database.begin() as connection:
            return await take_lease(connection, job.name, holder=self._holder, now=now, expires_at=now + duration)
