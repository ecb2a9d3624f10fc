"""The start of the world: from its own checkpoint, from that of the history, or new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from battery_contracts.fleet import FleetRow
from battery_synth.history import write_atomically
from battery_synth.world import World

_log = structlog.get_logger(__name__)

CATCH_UP_LIMIT: Final = timedelta(minutes=30)
"""How long before the first start the history may have ended; a longer time stays a gap."""
AHEAD_LIMIT: Final = timedelta(minutes=5)
"""How far the clock may have been set back; the gateway refuses readings further ahead anyway."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A world, and the instant after which it reports; until then it advances without reports."""

    world: World
    silent_until: datetime


class CheckpointFile:
    """The world's own checkpoint on disk, and the one that the history wrote."""

    def __init__(self, path: Path, *, initial: Path | None) -> None:
        self._path = path
        self._initial = initial

    def begin(self, fleet: Sequence[FleetRow], *, seed: int, now: datetime, newest_at: datetime | None) -> Beginning:
        """Choose the start; ``newest_at`` is the newest instant that was ever reported.

        The first start continues the history without a gap. A later one leaves the time in between as a gap. No instant
        is reported twice, even if the clock was set back or the newest checkpoint is older than the newest report.
        """
        newest = newest_at if newest_at is not None and newest_at - now <= AHEAD_LIMIT else None
        existed = self._path.exists()
        world = self._loaded(self._path, fleet, now, own=True)
        if world is None and self._initial is not None:
            world = self._loaded(self._initial, fleet, now, own=False)
            continues = world is not None and not existed and now - world.time <= CATCH_UP_LIMIT
        else:
            continues = False
        if world is None:
            world = World.create(fleet, seed=seed, start=now)
        reported = [world.time] if newest is None else [world.time, newest]
        return Beginning(world, max(reported) if continues else max(now, *reported))

    def save(self, world: World) -> None:
        """Write the checkpoint; the file is complete or absent."""
        write_atomically(self._path, world.dump())

    def _loaded(self, path: Path, fleet: Sequence[FleetRow], now: datetime, *, own: bool) -> World | None:
        try:
            world = World.load(path.read_bytes(), fleet)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
        else:
            if world.time - now <= AHEAD_LIMIT:
                return world
            reason = f"it is ahead of the clock: {world.time.isoformat()}"
        _log.error("checkpoint cannot be used", path=str(path), reason=reason)
        if own:
            self._move_aside()
        return None

    def _move_aside(self) -> None:
        try:
            self._path.replace(self._path.with_name(self._path.name + ".broken"))
        except OSError as error:
            _log.error("checkpoint not moved aside", reason=str(error))
