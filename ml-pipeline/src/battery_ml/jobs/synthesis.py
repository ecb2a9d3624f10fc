"""One run of ``battery-synth training`` in a process of its own, followed by the lines that it prints."""

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from battery_ml.jobs.errors import GenerationFailed, SynthesisMissing

PROGRAM: Final = "battery-synth"
_GRACE_S: Final = 3.0
"""Less than the supervisor of a job grants, so that the job can still delete its files."""


def find_synthesis(command: Sequence[str] = ()) -> list[str]:
    """Return the command that makes worlds: the one given, else the program beside the interpreter or on PATH.

    Raises
    ------
    SynthesisMissing
        There is no such program.
    """
    if command:
        if shutil.which(command[0]) is None:
            raise SynthesisMissing(f"{command[0]} makes the lives to train on and was not found; name a dataset")
        return list(command)
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(PROGRAM)
    if found is None:
        raise SynthesisMissing(f"{PROGRAM} makes the lives to train on and is not installed here; name a dataset")
    return [found]


def run_synthesis(command: Sequence[str], progress: Callable[[float], None]) -> None:
    """Run a command that prints its progress as JSON lines; it ends with the caller's exception, if there is one.

    Raises
    ------
    GenerationFailed
        It cannot be started, or ended with another status than 0.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # the configured command
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as failure:
        raise GenerationFailed(f"{command[0]} cannot be started: {failure}") from failure
    tail: deque[str] = deque(maxlen=5)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            share = share_done(line)
            if share is not None:
                progress(share)
            elif line.strip():
                tail.append(line.strip()[:500])
        status = process.wait()
    finally:
        _end(process)
    if status != 0:
        raise GenerationFailed(f"{command[0]} ended with status {status}: {' | '.join(tail)}")


def share_done(line: str) -> float | None:
    """Return the share from 0 to 1 that a line reports; None if it reports none."""
    try:
        content = json.loads(line)
        share = float(content["done"]) / float(content["total"])
    except (ValueError, TypeError, KeyError, ZeroDivisionError, OverflowError):
        return None
    return share if 0.0 <= share <= 1.0 else None


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
