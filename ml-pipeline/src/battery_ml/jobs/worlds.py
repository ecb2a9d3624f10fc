"""Worlds for a training that names no dataset: lives made by ``battery-synth training``, deleted after it."""

import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import numpy as np

from battery_ml.jobs.errors import RoomMissing
from battery_ml.jobs.scratch import scratch_folder
from battery_ml.jobs.synthesis import find_synthesis, run_synthesis

BYTES_PER_STRING_YEAR: Final = 4_500_000
"""Of one string of 24 batteries at each of the nine locations; 3.9 MB were measured with six strings over 12 years."""
ROOM_KEPT_BYTES: Final = 512 << 20
"""What is left free for the registry and for other services on the same disk (EJ)."""

WorldProgress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """How much is generated: several worlds of few strings show more kinds of climate, habit and battery than one.

    The defaults (EJ) keep a training in the memory and on the disk of a small server.
    """

    count: int = 3
    strings_per_location: int = 6
    years: float = 12.0

    @property
    def bytes_needed(self) -> int:
        """Bytes that the worlds take on the disk."""
        return round(self.count * self.strings_per_location * self.years * BYTES_PER_STRING_YEAR)

    def seeds(self, seed: int) -> list[int]:
        """Return a seed for each world; other seeds give other worlds."""
        return [int(state) for state in np.random.SeedSequence(seed).generate_state(self.count)]


@dataclass(frozen=True, slots=True)
class WorldSource:
    """Where worlds come from and where they lie meanwhile; ``command`` is empty for the installed program."""

    parent: Path
    command: Sequence[str] = ()
    plan: WorldPlan = field(default_factory=WorldPlan)

    def check(self) -> None:
        """Check that worlds can be generated.

        Raises
        ------
        SynthesisMissing, RoomMissing
            They cannot.
        """
        find_synthesis(self.command)
        try:
            self.parent.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise RoomMissing(f"{self.parent} cannot hold lives to train on: {failure}; name a dataset") from failure
        free, needed = shutil.disk_usage(self.parent).free, self.plan.bytes_needed + ROOM_KEPT_BYTES
        if free < needed:
            raise RoomMissing(
                f"{self.plan.count} worlds need {needed / 1e9:.1f} GB of disk while they are trained on, and "
                f"{self.parent} has {free / 1e9:.1f} GB free; free some, or name a dataset"
            )

    def arguments(self) -> list[str]:
        """Return the options of ``battery-ml train`` that generate these worlds."""
        given = [
            *("--worlds", str(self.plan.count)),
            *("--strings-per-site", str(self.plan.strings_per_location)),
            *("--years", f"{self.plan.years:g}"),
            *("--scratch", str(self.parent.absolute())),
        ]
        return [*given, "--synth-command", shlex.join(self.command)] if self.command else given


@contextmanager
def generated_worlds(source: WorldSource, seed: int, progress: WorldProgress) -> Iterator[list[Path]]:
    """Generate worlds one after the other, yield their folders, and delete them.

    Raises
    ------
    WorldsRefused
        There is no program or no room for them, or the program failed.
    """
    with _ending_in_order(), scratch_folder(source.parent) as folder:
        source.check()
        yield [
            _generate(source, folder / f"world-{number}", number, world_seed, progress)
            for number, world_seed in enumerate(source.plan.seeds(seed), start=1)
        ]


def _generate(source: WorldSource, out: Path, number: int, seed: int, progress: WorldProgress) -> Path:
    plan = source.plan

    def report(share: float) -> None:
        progress((number - 1 + share) / plan.count, f"world {number} of {plan.count}")

    report(0.0)
    # One process: a second one would be faster, but it takes as much memory again from the live services.
    options = ["--strings-per-site", str(plan.strings_per_location), "--years", f"{plan.years:g}", "--workers", "1"]
    command = [*find_synthesis(source.command), "training", "--out", str(out), "--seed", str(seed), *options]
    run_synthesis([*command, "--progress-json"], report)
    return out


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let a request to end (SIGTERM) unwind the stack, so that children are ended and files deleted."""
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
