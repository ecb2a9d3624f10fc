"""Runs the feed in real time: ticks, spool, sender and checkpoints."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx
import structlog

from battery_contracts.fleet import FleetRow
from battery_servicekit.clock import Clock
from battery_sim.feed import Feed, FeedPlan
from battery_sim.sender import Sender, telemetry_client
from battery_sim.settings import SimulatorSettings
from battery_sim.spool import Spool, SpoolFull
from battery_synth.catalogue import read_catalogue_csv
from battery_synth.history import write_atomically
from battery_synth.world import World

_log = structlog.get_logger(__name__)

TICK_S: Final = 1.0
CHECKPOINT_EVERY: Final = timedelta(seconds=10)
CATCH_UP_LIMIT: Final = timedelta(minutes=30)
"""How far the first start may lie behind the history it continues; past it the gap stays a gap."""


class Runner:
    """The feed of one simulator process."""

    def __init__(self, settings: SimulatorSettings, clock: Clock, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._clock = clock
        self._checkpoint = settings.folder / "world.checkpoint"
        self.spool = Spool(settings.folder / "spool.sqlite", limit_bytes=settings.simulator_spool_limit_bytes)
        self._wake = asyncio.Event()
        client = telemetry_client(http, settings.gateway_url, settings.simulator_api_key.get_secret_value())
        self.sender = Sender(self.spool, client, self._wake)
        self.feed = self._make_feed()
        self.is_full = False
        self._saved_at = self.feed.world.time

    @property
    def lag(self) -> timedelta:
        """How far the world is behind the clock."""
        return self._clock.now() - self.feed.world.time

    async def run(self) -> None:
        """Feed until cancelled; the checkpoint is written on the way out."""
        sending = asyncio.create_task(self.sender.run(), name="sender")
        try:
            await self._feed_for_ever()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            self._save()
            self.spool.close()

    async def _feed_for_ever(self) -> None:
        while True:
            now = self._clock.now()
            due = _next_tick(self.feed.world.time)
            if due > now:
                await asyncio.sleep((due - now).total_seconds())
                continue
            self._tick(due)
            if self.feed.world.time - self._saved_at >= CHECKPOINT_EVERY:
                self._save()
            # Leaves room for the sender and the control interface while catching up.
            await asyncio.sleep(0)

    def _tick(self, at: datetime) -> None:
        batch = self.feed.tick(at)
        if batch is None:
            return
        try:
            self.spool.put(batch.body)
        except SpoolFull as error:
            if not self.is_full:
                _log.error("spool is full; readings are not made until it drains", reason=str(error))
            self.is_full = True
        else:
            self.is_full = False
        self._wake.set()

    def _make_feed(self) -> Feed:
        settings = self._settings
        fleet = read_catalogue_csv(settings.simulator_fleet_csv)
        now = self._clock.now()
        plan = FeedPlan(
            interval_s=settings.simulator_interval_s,
            discharge_interval_s=settings.simulator_discharge_interval_s,
            strings=tuple(part.strip() for part in settings.simulator_strings.split(",") if part.strip()) or None,
        )
        own = self._checkpoint.is_file()
        world = self._load_world(fleet) or World.create(fleet, seed=settings.simulator_seed, start=now)
        feed = Feed(world, plan)
        # The first start continues the history without a seam; a later one leaves the time it was down as a gap.
        if own or now - world.time > CATCH_UP_LIMIT:
            feed.skip_to(max(now, world.time))
        return feed

    def _load_world(self, fleet: Sequence[FleetRow]) -> World | None:
        for path in (self._checkpoint, self._settings.simulator_initial_checkpoint):
            if path is None or not path.is_file():
                continue
            try:
                world = World.load(path.read_bytes(), fleet)
            except ValueError as error:
                aside = path.with_suffix(".broken")
                _log.error("checkpoint is not usable; moved aside", path=str(path), error=str(error))
                path.replace(aside)
                continue
            return world
        return None

    def _save(self) -> None:
        try:
            write_atomically(self._checkpoint, self.feed.world.dump())
        except OSError as error:
            _log.error("checkpoint not written", error=str(error))
        self._saved_at = self.feed.world.time


def _next_tick(after: datetime) -> datetime:
    """Return the next whole second: ticks at fixed instants make the same readings after a restart."""
    return after.replace(microsecond=0) + timedelta(seconds=TICK_S)
