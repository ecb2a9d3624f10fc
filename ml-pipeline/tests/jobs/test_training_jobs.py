"""The progress protocol, job bookkeeping and the supervisor, without the service around them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts.ml import TrainJob, TrainRequest, TrainState
from battery_ml.jobs.errors import SynthesisMissing
from battery_ml.jobs.supervised_process import NICENESS
from battery_ml.jobs.training import JobRunning, TrainingJobs, parse_progress
from battery_ml.jobs.worlds import WorldSource

SUPERVISE = [sys.executable, "-m", "battery_ml.jobs.supervised_process"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"progress": 0.4, "step": "trees"}', {"progress": 0.4, "step": "trees"}),
        ('{"progress": 1}', {"progress": 1.0}),
        ('{"version": "v7", "metrics": {"mae_days": 3}}', {"version": "v7"}),
        ('{"progress": 1.5, "step": "trees"}', {"step": "trees"}),
        ('{"progress": -0.1}', {}),
        ('{"progress": NaN}', {}),
        ('{"progress": "half", "step": 3, "version": null}', {}),
        ("[0.4]", {}),
        ("0.4", {}),
        ("Traceback (most recent call last):", {}),
        ("", {}),
    ],
)
def test_only_valid_progress_is_read(line: str, expected: dict[str, object]) -> None:
    assert parse_progress(line) == expected


@given(st.text(max_size=200))
def test_any_line_of_output_is_harmless(line: str) -> None:
    assert set(parse_progress(line)) <= {"progress", "step", "version"}


@pytest.fixture
def worlds(tmp_path: Path) -> WorldSource:
    return WorldSource(tmp_path / "worlds", (sys.executable, "synth.py"))


async def run(worlds: WorldSource, code: str, *, seed: int = 1, dataset: str | None = "/lives") -> TrainJob:
    jobs = TrainingJobs([sys.executable, "-c", code], worlds)
    job = jobs.start(TrainRequest(seed=seed, dataset=dataset))
    assert (job.state, job.progress) == (TrainState.RUNNING, 0.0)
    deadline = time.monotonic() + 30.0
    while (current := jobs.find(job.job_id)) is None or current.state is TrainState.RUNNING:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return current


async def test_progress_never_goes_back_and_is_complete_only_at_the_end(worlds: WorldSource) -> None:
    done = await run(
        worlds,
        'print(\'{"progress": 0.7, "step": "trees"}\'); print(\'{"progress": 0.2, "version": "v7"}\', flush=True)',
    )
    assert (done.state, done.progress, done.step, done.version) == (TrainState.SUCCEEDED, 1.0, "done", "v7")
    failed = await run(worlds, "print('{\"progress\": 0.7}'); print('{\"progress\": 0.2}'); raise SystemExit(4)")
    assert (failed.state, failed.progress) == (TrainState.FAILED, 0.7)


async def test_a_job_is_given_its_seed_and_dataset(worlds: WorldSource) -> None:
    code = "import sys; print(sys.argv[1:]); sys.exit(1)"
    failed = await run(worlds, code, seed=42, dataset="/lives")
    assert "['--seed', '42', '--dataset', '/lives']" in (failed.error or "")


async def test_a_job_without_a_dataset_is_given_the_worlds_to_make(worlds: WorldSource) -> None:
    failed = await run(worlds, "import sys; print(sys.argv[1:]); sys.exit(1)", seed=42, dataset=None)
    assert "'--seed', '42', '--worlds', '3', '--strings-per-site', '6', '--years', '12'" in (failed.error or "")
    assert f"'--scratch', '{worlds.parent}', '--synth-command', '{sys.executable} synth.py'" in (failed.error or "")
    assert "--dataset" not in (failed.error or "")


async def test_what_a_killed_job_leaves_is_deleted_when_it_ends(worlds: WorldSource) -> None:
    left = worlds.parent / "job-left" / "world-1"
    left.mkdir(parents=True)
    await run(worlds, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", dataset=None)
    assert not left.parent.exists()


async def test_without_the_program_that_makes_worlds_no_job_starts(tmp_path: Path) -> None:
    jobs = TrainingJobs(["true"], WorldSource(tmp_path / "worlds", ("no-such-program",)))
    with pytest.raises(SynthesisMissing, match="no-such-program"):
        jobs.start(TrainRequest())
    jobs.start(TrainRequest(dataset="/lives"))
    await jobs.stop()


async def test_a_job_runs_with_a_lower_priority(worlds: WorldSource) -> None:
    failed = await run(worlds, "import os, sys; print('nice', os.nice(0)); sys.exit(1)")
    assert f"nice {min(os.nice(0) + NICENESS, 19)}" in (failed.error or "")


async def test_a_failure_is_reported_with_the_end_of_the_log(worlds: WorldSource) -> None:
    failed = await run(worlds, "[print('line', number) for number in range(100)]; raise SystemExit(3)")
    assert failed.error is not None
    assert failed.error.startswith("training ended with status 3: line 80 |")
    assert failed.error.endswith("line 99")
    assert failed.finished_at is not None


async def test_a_line_that_is_too_long_ends_the_job(worlds: WorldSource) -> None:
    failed = await run(worlds, "print('x' * (3 << 20)); import time; time.sleep(60)")
    assert (failed.state, failed.error) == (TrainState.FAILED, "training printed a line that is too long")


async def test_one_job_runs_at_a_time_and_stop_ends_it(worlds: WorldSource) -> None:
    jobs = TrainingJobs([sys.executable, "-c", "import time; time.sleep(60)"], worlds)
    job = jobs.start(TrainRequest(dataset="/lives"))
    await asyncio.sleep(0)
    with pytest.raises(JobRunning, match=job.job_id):
        jobs.start(TrainRequest(dataset="/lives"))
    await asyncio.sleep(0.5)
    await jobs.stop()
    stopped = jobs.find(job.job_id)
    assert stopped is not None
    assert (stopped.state, stopped.error) == (TrainState.FAILED, "the service stopped")
    await jobs.stop()
    assert jobs.start(TrainRequest(dataset="/lives")).job_id != job.job_id
    await asyncio.sleep(0)
    await jobs.stop()


def test_an_unknown_job_is_not_found(worlds: WorldSource) -> None:
    assert TrainingJobs(["true"], worlds).find("none") is None


@pytest.mark.parametrize("status", [0, 7])
def test_the_supervisor_exits_with_the_status_of_its_command(status: int) -> None:
    command = [*SUPERVISE, sys.executable, "-c", f"raise SystemExit({status})"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.wait(timeout=30) == status


def test_a_command_that_a_signal_ended_has_the_status_of_a_shell() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    process = subprocess.Popen([*SUPERVISE, sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.wait(timeout=30) == 128 + signal.SIGKILL


def test_closing_standard_input_ends_the_command(tmp_path: Path) -> None:
    started, ended = tmp_path / "started", tmp_path / "ended"
    code = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(ended)!r}).touch(), sys.exit(5)))\n"
        f"pathlib.Path({str(started)!r}).touch()\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([*SUPERVISE, sys.executable, "-c", code], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 30.0
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 5
    assert ended.exists()
