"""Training jobs: one at a time, each in its own process, followed by the lines that it prints.

The command prints one JSON object per line: ``{"progress": 0.4, "step": "trees"}`` while it runs and
``{"version": "..."}`` when it has published a version. All other lines are its log; the last ones are kept to report a
failure.
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
from battery_ml.jobs.scratch import remove_leftovers
from battery_ml.jobs.supervised_process import GRACE_S
from battery_ml.jobs.worlds import WorldSource

_log = structlog.get_logger(__name__)
_JOBS_KEPT: Final = 50
_MAX_LINE_BYTES: Final = 1 << 20


class JobRunning(Exception):
    """A job is already running; there is one at a time."""


@dataclass(slots=True)
class TrainingJobs:
    """Start and follow jobs; they are kept in memory, the versions that they publish in the registry."""

    command: Sequence[str]
    worlds: WorldSource
    """What a job is trained on that names no dataset."""
    _jobs: dict[str, TrainJob] = field(default_factory=dict, init=False)
    _watch: "asyncio.Task[None] | None" = field(default=None, init=False)

    def find(self, job_id: str) -> TrainJob | None:
        """Return a job that was started since the service started; None if there is none of this id."""
        return self._jobs.get(job_id)

    def start(self, request: TrainRequest) -> TrainJob:
        """Start a job.

        Raises
        ------
        JobRunning
            Another one is running; the error carries its id.
        WorldsRefused
            No dataset is named, and there is no program or no room to make one.
        """
        running = next((job for job in self._jobs.values() if job.state is TrainState.RUNNING), None)
        if running is not None:
            raise JobRunning(running.job_id)
        if request.dataset is None:
            self.worlds.check()
        job = TrainJob(
            job_id=uuid4().hex, state=TrainState.RUNNING, progress=0.0, step="starting", started_at=datetime.now(UTC)
        )
        self._jobs[job.job_id] = job
        for old in list(self._jobs)[:-_JOBS_KEPT]:
            del self._jobs[old]
        self._watch = asyncio.create_task(self._run(job.job_id, request))
        return job

    async def stop(self) -> None:
        """End the running job, if there is one, and wait for its process."""
        if self._watch is None or self._watch.done():
            return
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)

    async def remove_leftovers(self) -> int:
        """Delete the worlds of jobs that no longer run; return how many jobs keep theirs."""
        try:
            return await asyncio.to_thread(remove_leftovers, self.worlds.parent)
        except OSError as failure:
            _log.warning("leftovers of training jobs stay", folder=str(self.worlds.parent), error=str(failure))
            return 0

    async def _run(self, job_id: str, request: TrainRequest) -> None:
        lives = self.worlds.arguments() if request.dataset is None else ["--dataset", request.dataset]
        arguments = ["--seed", str(request.seed), *lives]
        tail: deque[str] = deque(maxlen=20)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "battery_ml.jobs.supervised_process",
                *self.command,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_MAX_LINE_BYTES,
            )
        except OSError as failure:
            self._finish(job_id, f"training cannot be started: {failure}")
            return
        try:
            await self._follow(job_id, process, tail)
            code = await process.wait()
        except ValueError:
            self._finish(job_id, "training printed a line that is too long")
            return
        except asyncio.CancelledError:
            self._finish(job_id, "the service stopped")
            raise
        finally:
            await _end(process)
            # A job that was killed deletes nothing.
            await self.remove_leftovers()
        if code != 0:
            self._finish(job_id, f"training ended with status {code}: {' | '.join(tail)[-1000:]}")
        elif self._jobs[job_id].version is None:
            self._finish(job_id, "training succeeded but published no version")
        else:
            self._finish(job_id, None)

    async def _follow(self, job_id: str, process: asyncio.subprocess.Process, tail: deque[str]) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").strip()
            update = parse_progress(text)
            if update:
                # Never backwards, never complete before the end.
                update["progress"] = min(max(self._jobs[job_id].progress, update.get("progress", 0.0)), 0.99)
                self._jobs[job_id] = self._jobs[job_id].model_copy(update=update)
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


def parse_progress(line: str) -> dict[str, Any]:
    """Return the valid ones of ``progress``, ``step`` and ``version`` of a line; empty if it reports no progress."""
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    update: dict[str, Any] = {name: content[name] for name in ("step", "version") if isinstance(content.get(name), str)}
    progress = content.get("progress")
    if isinstance(progress, int | float) and 0.0 <= progress <= 1.0:
        update["progress"] = float(progress)
    return update


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the standard input of the supervisor and wait; kill it if it does not end in time."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), timeout=2.0 * GRACE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
