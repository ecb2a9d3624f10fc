"""Runs the feed in real time: ticks, spool, sender and checkpoints."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from time import perf_counter
from typing import Any, Final

import httpx
import structlog

from battery_servicekit.clock import Clock
from battery_sim import metrics
from battery_sim.checkpoint import AHEAD_LIMIT, Beginning, CheckpointFile
from battery_sim.feed import Feed, FeedPlan, UnknownStrings
from battery_sim.sender import Sender, SenderStatus, telemetry_client
from battery_sim.settings import SimulatorSettings
from battery_sim.spool import Spool, SpoolUnavailable
from battery_sim.work_thread import WorkThread
from battery_synth.catalogue import read_catalogue_csv

_log = structlog.get_logger(__name__)

TICK: Final = timedelta(seconds=1)
CHECKPOINT_EVERY: Final = timedelta(seconds=10)
SKIP_AFTER: Final = timedelta(minutes=2)
"""A feed that is further behind was suspended with its machine: that time stays a gap."""
_RETRY_S: Final = (1.0, 2.0, 5.0, 10.0)
_ADVANCE_STEP: Final = timedelta(days=1)


class _FleetUnusable(Exception):
    """The catalogue is missing or invalid."""


class _ClockSetBack(Exception):
    """The world is so far ahead of the clock that it must restart."""


class FeedState(StrEnum):
    """State of the feed."""

    STARTING = "starting"
    FEEDING = "feeding"
    PAUSED = "paused"
    SPOOL_FULL = "spool_full"
    SPOOL_UNAVAILABLE = "spool_unavailable"
    FLEET_UNUSABLE = "fleet_unusable"
    UNKNOWN_STRINGS = "unknown_strings"
    FAILING = "failing"
    STOPPED = "stopped"


@dataclass(slots=True)
class _Parts:
    """The parts of a started runner."""

    spool: Spool
    sender: Sender
    feed: Feed


@dataclass(frozen=True, slots=True)
class RunnerStatus:
    """Status of the feed; world time and lag are None while it starts."""

    state: FeedState
    reason: str | None
    world_time: datetime | None
    lag: timedelta | None
    strings_by_mode: Mapping[str, int]
    waiting_batches: int
    waiting_bytes: int
    refused_batches: int
    sender: SenderStatus


class Runner:
    """The feed of one simulator process.

    Only the work thread touches world and spool; the event loop keeps the schedule and talks to the gateway.
    """

    def __init__(self, settings: SimulatorSettings, clock: Clock, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._clock = clock
        self._client = telemetry_client(http, settings.gateway_url, settings.simulator_api_key.get_secret_value())
        self._checkpoint = CheckpointFile(
            settings.folder / "world.checkpoint", initial=settings.simulator_initial_checkpoint
        )
        self._work = WorkThread()
        self._stopping = asyncio.Event()
        self._parts: _Parts | None = None
        self._state, self._reason = FeedState.STARTING, ""
        self._silent_until = datetime.max.replace(tzinfo=UTC)
        self._has_caught_up = False
        self._saved_at: datetime | None = None
        self._save_failed = False

    # -- status -----------------------------------------------------------------------------------------------

    @property
    def plan(self) -> FeedPlan | None:
        """The plan of the feed; None while it starts."""
        return self._parts.feed.plan if self._parts else None

    def change(self, **changes: Any) -> FeedPlan | None:
        """Change the plan and return it; None while the feed starts.

        Raises
        ------
        UnknownStrings
            A string is not in the fleet; the plan stays as it was.
        """
        return self._parts.feed.change(**changes) if self._parts else None

    def status(self) -> RunnerStatus:
        """Return the status of the feed."""
        parts = self._parts
        if parts is None:
            return RunnerStatus(self._state, self._reason or None, None, None, {}, 0, 0, 0, SenderStatus())
        world_time = parts.feed.world.time
        state = self._state
        if state is FeedState.FEEDING and not parts.feed.plan.enabled:
            state = FeedState.PAUSED
        return RunnerStatus(
            state=state,
            reason=self._reason or None,
            world_time=world_time,
            lag=self._clock.now() - world_time,
            strings_by_mode=Counter(mode.value for mode in parts.feed.modes.values()),
            waiting_batches=parts.spool.count,
            waiting_bytes=parts.spool.size_bytes,
            refused_batches=parts.spool.refused_count,
            sender=parts.sender.status,
        )

    # -- life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Feed until `stop` is called; failures are retried, and the checkpoint is written at the end."""
        try:
            failures = 0
            while not self._stopping.is_set():
                started_s = perf_counter()
                await self._run_once()
                # After a long run the next failure is a new one: its first retry comes soon.
                failures = 0 if perf_counter() - started_s > 60.0 else min(failures + 1, len(_RETRY_S) - 1)
                await self._sleep(_RETRY_S[failures])
        finally:
            self._enter(FeedState.STOPPED)
            self._work.close()

    def stop(self) -> None:
        """Ask the feed to end after its present tick."""
        self._stopping.set()

    async def _run_once(self) -> None:
        try:
            await self._open()
            await self._feed_and_send()
        except SpoolUnavailable as error:
            self._enter(FeedState.SPOOL_UNAVAILABLE, str(error))
        except UnknownStrings as error:
            self._enter(FeedState.UNKNOWN_STRINGS, str(error))
        except _FleetUnusable as error:
            self._enter(FeedState.FLEET_UNUSABLE, str(error))
        except _ClockSetBack as error:
            self._enter(FeedState.STARTING, str(error))
        except Exception as error:  # noqa: BLE001  # the feed must recover by itself, whatever failed
            _log.error("feed failed; it restarts", exc_info=error)
            self._enter(FeedState.FAILING, type(error).__name__)
        finally:
            await self._close()

    async def _open(self) -> None:
        now = self._clock.now()
        spool = await self._work.run(self._open_spool)
        try:
            beginning = await self._work.run(self._begin, spool, now)
            feed = Feed(beginning.world, self._plan_of_settings())
        except BaseException:
            await self._work.run(spool.close)
            raise
        self._silent_until = beginning.silent_until
        self._saved_at = None
        # Sending starts at once: the backlog goes first, while the world still catches up.
        self._parts = _Parts(spool, Sender(spool, self._client, self._work), feed)
        _log.info(
            "feed begins",
            world_time=beginning.world.time.isoformat(),
            silent_until=beginning.silent_until.isoformat(),
            waiting=spool.count,
        )

    def _open_spool(self) -> Spool:
        settings = self._settings
        return Spool(settings.folder / "spool.sqlite", limit_bytes=settings.simulator_spool_limit_bytes)

    def _begin(self, spool: Spool, now: datetime) -> Beginning:
        path = self._settings.simulator_fleet_csv
        try:
            fleet = read_catalogue_csv(path)
        except (OSError, ValueError) as error:
            raise _FleetUnusable(f"{path.name}: {error}") from error
        seed = self._settings.simulator_seed
        return self._checkpoint.begin(fleet, seed=seed, now=now, newest_at=spool.newest_at)

    def _plan_of_settings(self) -> FeedPlan:
        settings = self._settings
        return FeedPlan(
            interval_s=settings.simulator_interval_s,
            discharge_interval_s=settings.simulator_discharge_interval_s,
            strings=settings.strings,
        )

    async def _close(self) -> None:
        parts, self._parts = self._parts, None
        if parts is None:
            return
        if self._has_caught_up:
            await self._work.run(self._save, parts.feed)
        await self._work.run(parts.spool.close)

    # -- schedule -----------------------------------------------------------------------------------------------

    async def _feed_and_send(self) -> None:
        parts = self._parts
        assert parts is not None
        sending = asyncio.create_task(parts.sender.run(), name="sender")
        try:
            await self._advance_without_reports(parts.feed, self._silent_until)
            while not self._stopping.is_set():
                if sending.done():
                    sending.result()
                await self._step(parts)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _advance_without_reports(self, feed: Feed, until: datetime) -> None:
        while feed.world.time < until and not self._stopping.is_set():
            # In steps, so that the sender gets its turns and a stop does not wait for weeks of the world.
            await self._work.run(feed.pass_over, min(feed.world.time + _ADVANCE_STEP, until))

    async def _step(self, parts: _Parts) -> None:
        """Do the next tick or wait for it."""
        now, due = self._clock.now(), _next_tick(parts.feed.world.time)
        metrics.LAG_SECONDS.set((now - parts.feed.world.time).total_seconds())
        if due - now > AHEAD_LIMIT:
            raise _ClockSetBack(f"the world is at {due.isoformat()}, the clock at {now.isoformat()}")
        if due > now:
            self._has_caught_up = True
            # Never long: the clock may be set during the wait.
            await self._sleep(min(due - now, TICK).total_seconds())
        elif self._has_caught_up and now - due > SKIP_AFTER:
            _log.warning("feed was suspended; the time stays a gap", since=due.isoformat(), until=now.isoformat())
            metrics.TICKS_SKIPPED.labels("asleep").inc((now - due) // TICK)
            await self._advance_without_reports(parts.feed, now)
        else:
            state, reason = await self._work.run(self._tick, parts, due)
            self._enter(state, reason)
            parts.sender.notify()

    def _tick(self, parts: _Parts, time: datetime) -> tuple[FeedState, str]:
        """Advance by one tick and store its readings; runs in the work thread."""
        started_s = perf_counter()
        spool, feed = parts.spool, parts.feed
        state, reason = FeedState.FEEDING, ""
        if spool.is_full:
            feed.pass_over(time)
            state, reason = FeedState.SPOOL_FULL, f"{spool.size_bytes:,} bytes wait for the gateway"
            metrics.TICKS_SKIPPED.labels("spool_full").inc()
        elif (batch := feed.tick(time)) is not None:
            try:
                spool.put(batch.body, reading_count=batch.reading_count, made_at=batch.time)
            except SpoolUnavailable as error:
                feed.take_back(batch)
                state, reason = FeedState.SPOOL_UNAVAILABLE, str(error)
                metrics.TICKS_SKIPPED.labels("spool_unavailable").inc()
            else:
                metrics.READINGS.labels("made").inc(batch.reading_count)
        if self._has_caught_up and (self._saved_at is None or time - self._saved_at >= CHECKPOINT_EVERY):
            self._save(feed)
        metrics.SPOOL_BATCHES.set(spool.count)
        metrics.SPOOL_BYTES.set(spool.size_bytes)
        metrics.TICK_SECONDS.observe(perf_counter() - started_s)
        return state, reason

    def _save(self, feed: Feed) -> None:
        # Only after the feed has caught up with the history: until then a restart must resume from the history's end.
        self._saved_at = feed.world.time
        try:
            self._checkpoint.save(feed.world)
        except OSError as error:
            if not self._save_failed:
                _log.error("checkpoint not written; the last one is kept", error=str(error))
            self._save_failed = True
        else:
            self._save_failed = False

    def _enter(self, state: FeedState, reason: str = "") -> None:
        if state is not self._state:
            quiet = state in {FeedState.FEEDING, FeedState.STOPPED}
            log = _log.info if quiet else _log.error
            log("feed state", state=state.value, before=self._state.value, reason=reason or None)
        self._state, self._reason = state, reason

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def _next_tick(after: datetime) -> datetime:
    """Return the next whole second."""
    return after.replace(microsecond=0) + TICK
