"""History of the fleet as Parquet: hourly rows, finer around discharges, and the world's checkpoint where they end."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from battery_contracts.fleet import FleetRow
from battery_synth.recording import Recorder, write_atomically
from battery_synth.world import World

__all__ = ["write_atomically", "write_history"]

FORMAT_VERSION: Final = 1
STEP: Final = timedelta(hours=1)
FLUSH_EVERY: Final = 240
"""Hours between writes: about 0.5 M rows a time."""
_DISCHARGE_STEPS: Final = (
    # Up to this time into a discharge: how often to look.
    (timedelta(seconds=30), timedelta(seconds=2)),
    (timedelta(minutes=5), timedelta(seconds=10)),
)
_LONG_DISCHARGE_STEP: Final = timedelta(seconds=60)
_RECOVERY_STEPS: Final = (
    # Up to this time after a discharge: how often to look.
    (timedelta(seconds=90), timedelta(seconds=10)),
    (timedelta(minutes=15), timedelta(seconds=60)),
    (timedelta(hours=2), timedelta(minutes=10)),
)

Progress = Callable[[int, int], None]


def write_history(
    fleet: Sequence[FleetRow],
    directory: Path,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    checkpoint: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Run the world from ``start`` to ``end``, write what its sensors saw and the checkpoint at ``end``.

    The rows span [start, end): the live feed goes on at ``end``. The manifest is written last; without it the folder
    holds no history.

    Returns
    -------
    dict
        The manifest that was written.
    """
    world = World.create(fleet, seed=seed, start=start)
    directory.mkdir(parents=True, exist_ok=True)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").unlink(missing_ok=True)
    strings_of = {
        location: tuple(string for string in world.string_ids if string.startswith(f"{location}-"))
        for location in world.location_ids
    }
    with Recorder(directory, strings_of, world.battery_ids) as recorder:
        _Observer(world, recorder, strings_of).run(end, progress)
        files = recorder.finish()
    write_atomically(checkpoint, world.dump())
    manifest = {
        "version": FORMAT_VERSION,
        "seed": seed,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "files": files,
    }
    write_atomically(directory / "manifest.json", json.dumps(manifest, indent=2).encode())
    return manifest


class _Observer:
    """Decides who is looked at when: all every hour, strings that work or recover more often."""

    def __init__(self, world: World, recorder: Recorder, strings_of: dict[str, tuple[str, ...]]) -> None:
        self._world = world
        self._recorder = recorder
        self._strings_of = strings_of
        self._began: dict[str, datetime] = {}
        self._ended: dict[str, datetime] = {}

    def run(self, end: datetime, progress: Progress) -> None:
        world, hour, done = self._world, self._world.time, 0
        total = -((world.time - end) // STEP)
        while world.time < end:
            self._note_changes()
            if world.time == hour:
                world_due = world.ohmic_due(hour - STEP, hour)
                self._recorder.add(world.observe(world.string_ids, ohmic=world_due), world.observe_sites())
                hour, done = hour + STEP, done + 1
                progress(done, total)
                if done % FLUSH_EVERY == 0:
                    self._recorder.flush()
            else:
                self._look_closely()
            world.advance(min(end, hour, world.next_change_after(world.time), self._next_look()))

    def _look_closely(self) -> None:
        busy = sorted({*self._began, *self._ended})
        if busy:
            locations = [place for place, members in self._strings_of.items() if not set(busy).isdisjoint(members)]
            self._recorder.add(self._world.observe(busy), self._world.observe_sites(locations))

    def _note_changes(self) -> None:
        now, working = self._world.time, self._world.discharging()
        for string in working:
            self._began.setdefault(string, now)
            self._ended.pop(string, None)
        for string in set(self._began) - working:
            del self._began[string]
            self._ended[string] = now
        longest = _RECOVERY_STEPS[-1][0]
        self._ended = {string: ended for string, ended in self._ended.items() if now - ended < longest}

    def _next_look(self) -> datetime:
        now = self._world.time
        steps = [_step_at(now - began, _DISCHARGE_STEPS, _LONG_DISCHARGE_STEP) for began in self._began.values()]
        steps += [_step_at(now - ended, _RECOVERY_STEPS, STEP) for ended in self._ended.values()]
        return now + min(steps, default=STEP)


def _step_at(since: timedelta, steps: tuple[tuple[timedelta, timedelta], ...], otherwise: timedelta) -> timedelta:
    return next((step for until, step in steps if since < until), otherwise)
