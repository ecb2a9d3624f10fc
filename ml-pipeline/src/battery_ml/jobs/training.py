"""Training jobs: one at a time, a process of its own, told of by the lines that it prints.

The command prints a JSON object a line: ``{"progress": 0.4, "step": "trees"}`` as it goes and ``{"version": "..."}``
for what it has put into the registry; anything else is its log, whose end is kept for the report of a failure.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import structlog

from battery_contracts.ml import TrainJob, TrainRequest, TrainState
from battery_ml.jobs.tether import GRACE_S

_log = structlog.get_logger(__name__)
_JOBS_KEPT: Final = 50
_LONGEST_LINE_BYTES: Final = 1 << 20


class JobRunning(Exception):
    """A job is under way; there is one at a time."""


@dataclass(slots=True)
class TrainingJobs:
    """Start and watch jobs. They are remembered while the service runs; what they made is in the registry."""

    command: Sequence[str]
    _jobs: dict[str, TrainJob] = field(default_factory=dict, init=False)
    _watch: "asyncio.Task[None] | None" = field(default=None, init=False)

    def find(self, job_id: str) -> TrainJob | None:
        """Return a job of this service's lifetime."""
        return self._jobs.get(job_id)

    def start(self, request: TrainRequest) -> TrainJob:
        """Start a job; raises `JobRunning` with the id of the one that is under way."""
        running = next((job for job in self._jobs.values() if job.state is TrainState.RUNNING), None)
        if running is not None:
            raise JobRunning(running.job_id)
        job = TrainJob(
            job_id=uuid4().hex, state=TrainState.RUNNING, progress=0.0, step="starting", started_at=datetime.now(UTC)
        )
        self._jobs[job.job_id] = job
        for old in list(self._jobs)[:-_JOBS_KEPT]:
            del self._jobs[old]
        self._watch = asyncio.create_task(self._run(job.job_id, request))
        return job

    async def stop(self) -> None:
        """End the job under way, if there is one, and wait until it is gone."""
        if self._watch is None or self._watch.done():
            return
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)

    async def _run(self, job_id: str, request: TrainRequest) -> None:
        arguments = ["--seed", str(request.seed), *(["--dataset", request.dataset] if request.dataset else [])]
        tail: deque[str] = deque(maxlen=20)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "battery_ml.jobs.tether",
                *self.command,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_LONGEST_LINE_BYTES,
            )
        except OSError as failure:
            self._finish(job_id, f"training cannot be started: {failure}")
            return
        try:
            await self._listen(job_id, process, tail)
            code = await process.wait()
        except ValueError:
            self._finish(job_id, "training printed a line without end")
            return
        except asyncio.CancelledError:
            self._finish(job_id, "the service stopped")
            raise
        finally:
            await _end(process)
        if code != 0:
            self._finish(job_id, f"training ended with status {code}: {' | '.join(tail)[-1000:]}")
        elif self._jobs[job_id].version is None:
            self._finish(job_id, "training ended well but named no version")
        else:
            self._finish(job_id, None)

    async def _listen(self, job_id: str, process: asyncio.subprocess.Process, tail: deque[str]) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").strip()
            told = _told(text)
            if told:
                # Never backwards, never done before the end.
                told["progress"] = min(max(self._jobs[job_id].progress, told.get("progress", 0.0)), 0.99)
                self._jobs[job_id] = self._jobs[job_id].model_copy(update=told)
            elif text:
                tail.append(text)

    def _finish(self, job_id: str, error: str | None) -> None:
        job = self._jobs[job_id]
        update: dict[str, Any] = {"finished_at": datetime.now(UTC)}
        if error is None:
            update |= {"state": TrainState.SUCCEEDED, "progress": 1.0, "step": "done"}
        else:
            update |= {"state": TrainState.FAILED, "error": error}
        self._jobs[job_id] = job.model_copy(update=update)
        _log.info("training ended", job_id=job_id, error=error, version=job.version)


def _told(text: str) -> dict[str, Any]:
    """Read a line of progress; empty when it is none."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    told: dict[str, Any] = {name: said[name] for name in ("step", "version") if isinstance(said.get(name), str)}
    progress = said.get("progress")
    if isinstance(progress, int | float) and 0.0 <= progress <= 1.0:
        told["progress"] = float(progress)
    return told


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the tether and wait; whatever does not heed it is killed."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), timeout=2.0 * GRACE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
