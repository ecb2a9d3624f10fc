"""The live feed: which strings report when, and the batch that their readings make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from battery_synth.world import Observation, SiteObservation, World


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What is fed and how often; changed at run time by replacing it."""

    interval_s: float = 60.0
    discharge_interval_s: float = 2.0
    site_interval_s: float = 60.0
    enabled: bool = True
    strings: tuple[str, ...] | None = None


@dataclass(slots=True)
class Batch:
    """One tick's readings as JSON, with their number."""

    body: bytes
    reading_count: int


class Feed:
    """Walks the world forward second by second and says what is to be sent.

    Strings report once an interval, each at its own offset, so that something moves every second; a string that feeds
    the load reports every `discharge_interval_s`. The first report of a string after a start carries the resistance of
    its blocks, as a monitor measures it at power-up; later ones when the daily turn comes.
    """

    def __init__(self, world: World, plan: FeedPlan) -> None:
        self._world = world
        self.plan = plan
        self._last_report: dict[str, datetime] = {}
        self._last_site_report: datetime | None = None
        self._awaiting_ohmic = set(world.string_ids)
        self._last_tick = world.time

    @property
    def world(self) -> World:
        """The world behind the feed."""
        return self._world

    def change(self, **changes: Any) -> FeedPlan:
        """Change the plan; unknown strings are refused.

        Raises
        ------
        ValueError
            A string is not in the fleet, or an interval is out of range.
        """
        wanted = replace(self.plan, **changes)
        unknown = sorted(set(wanted.strings or ()) - set(self._world.string_ids))
        if unknown:
            raise ValueError(f"strings: not in the fleet: {', '.join(unknown[:5])}")
        self.plan = wanted
        return wanted

    def tick(self, now: datetime) -> Batch | None:
        """Move the world to ``now`` and return what is due, None when nothing is."""
        since = self._last_tick
        self._world.advance(now)
        self._last_tick = now
        self._awaiting_ohmic |= self._world.ohmic_due(since, now)
        if not self.plan.enabled:
            return None
        due = self._due_strings(now)
        sites = self._due_sites(now)
        if not due and sites is None:
            return None
        ohmic = frozenset(due) & self._awaiting_ohmic
        seen = self._world.observe(due, ohmic=ohmic) if due else None
        self._awaiting_ohmic -= ohmic
        self._last_report |= dict.fromkeys(due, now)
        return make_batch(seen, sites)

    def skip_to(self, now: datetime) -> None:
        """Move the world on without a report: time in which the platform was down stays a gap."""
        self._world.advance(now)
        self._last_tick = now

    def _due_strings(self, now: datetime) -> list[str]:
        wanted = self._world.string_ids if self.plan.strings is None else list(self.plan.strings)
        working = self._world.discharging()
        due = []
        for number, string in enumerate(self._world.string_ids):
            if string not in wanted:
                continue
            last = self._last_report.get(string)
            if string in working:
                # Half a tick of tolerance keeps a 2 s rhythm from becoming 3 s.
                if last is None or (now - last).total_seconds() >= self.plan.discharge_interval_s - 0.5:
                    due.append(string)
            elif _slot(now, number, len(self._world.string_ids), self.plan.interval_s) > _slot_of(
                last, number, len(self._world.string_ids), self.plan.interval_s
            ):
                due.append(string)
        return due

    def _due_sites(self, now: datetime) -> SiteObservation | None:
        last = self._last_site_report
        changed = last is not None and self._world.next_change_after(last) <= now
        if last is not None and not changed and now - last < timedelta(seconds=self.plan.site_interval_s):
            return None
        self._last_site_report = now
        return self._world.observe_sites()


def _slot(at: datetime, number: int, count: int, interval_s: float) -> float:
    """Return the number of the interval that a string is in; its border is shifted by the string's place."""
    return float(np.floor((at.timestamp() - interval_s * number / count) / interval_s))


def _slot_of(last: datetime | None, number: int, count: int, interval_s: float) -> float:
    return -np.inf if last is None else _slot(last, number, count, interval_s)


def make_batch(seen: Observation | None, sites: SiteObservation | None) -> Batch:
    """Return the batch of an instant in the column shape of the gateway."""
    body: dict[str, Any] = {}
    count = 0
    if seen is not None:
        stamp = _stamp(seen.time)
        count += len(seen.battery_id) + len(seen.string_id)
        body["columns"] = {
            "battery_id": seen.battery_id,
            "time": [stamp] * len(seen.battery_id),
            "voltage_v": seen.voltage_v,
            "current_a": seen.current_a,
            "temperature_c": seen.temperature_c,
        }
        if np.isfinite(seen.internal_resistance_mohm).any():
            # NaN becomes null in JSON: not measured this time.
            body["columns"]["internal_resistance_mohm"] = seen.internal_resistance_mohm
        body["string_readings"] = _string_readings(seen, stamp)
    if sites is not None:
        stamp = _stamp(sites.time)
        count += len(sites.location_id)
        body["site_readings"] = [
            {
                "location_id": location,
                "time": stamp,
                "ambient_c": float(sites.ambient_c[i]),
                "humidity_pct": float(sites.humidity_pct[i]),
                "hvac": sites.hvac[i].value,
                "mains": sites.mains[i],
            }
            for i, location in enumerate(sites.location_id)
        ]
    return Batch(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), count)


def _string_readings(seen: Observation, stamp: str) -> Sequence[dict[str, Any]]:
    return [
        {
            "string_id": string,
            "time": stamp,
            "voltage_v": float(seen.string_voltage_v[i]),
            "current_a": float(seen.string_current_a[i]),
            "float_current_ma": float(seen.float_current_ma[i]),
            "ripple_voltage_v": float(seen.ripple_voltage_v[i]),
            "ripple_current_a": float(seen.ripple_current_a[i]),
            "mode": seen.mode[i].value,
        }
        for i, string in enumerate(seen.string_id)
    ]


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
