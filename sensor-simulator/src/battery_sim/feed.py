"""The live feed: which strings report when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from battery_contracts.enums import StringMode
from battery_contracts.ids import location_of
from battery_sim.batch import Batch, make_batch
from battery_synth.world import SiteObservation, World

SHORTEST_INTERVAL_S: Final = 1.0
LONGEST_INTERVAL_S: Final = 60.0


class UnknownStrings(ValueError):
    """Strings that the plan names are not in the fleet."""


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What is fed and how often; ``strings`` None means all of them."""

    interval_s: float = 60.0
    discharge_interval_s: float = 2.0
    site_interval_s: float = 60.0
    enabled: bool = True
    strings: tuple[str, ...] | None = None


class Feed:
    """Walks the world forward and says what is to be sent.

    Strings report once an interval, each at its own offset, so that something moves every second; a string that feeds
    the load reports every `discharge_interval_s`, and once more when it has stopped. The first report of a string after
    a start carries the resistance of its blocks, as a monitor measures it at power-up; later ones when the daily turn
    comes.
    """

    def __init__(self, world: World, plan: FeedPlan) -> None:
        self._world = world
        self._order = {string: number for number, string in enumerate(world.string_ids)}
        self._last_report: dict[str, datetime] = {}
        self._last_site_report: datetime | None = None
        self._awaiting_ohmic = frozenset(world.string_ids)
        self._was_discharging: frozenset[str] = frozenset()
        self._modes: dict[str, StringMode] = {}
        self._refuse_unknown(plan)
        self._plan = plan

    @property
    def world(self) -> World:
        """The world behind the feed."""
        return self._world

    @property
    def plan(self) -> FeedPlan:
        """What is fed now."""
        return self._plan

    @property
    def modes(self) -> Mapping[str, StringMode]:
        """What each string did when it last reported; one that never did is absent."""
        return self._modes

    def change(self, **changes: Any) -> FeedPlan:
        """Change the plan from the next tick on; `UnknownStrings` leaves it as it was."""
        wanted = replace(self._plan, **changes)
        self._refuse_unknown(wanted)
        self._plan = wanted
        return wanted

    def tick(self, now: datetime) -> Batch | None:
        """Move the world to ``now`` and return what is due, None when nothing is."""
        self.pass_over(now)
        plan = self._plan
        if not plan.enabled:
            return None
        due = self._due_strings(plan, now)
        sites = self._due_sites(plan, now)
        measured = self._awaiting_ohmic.intersection(due)
        seen = self._world.observe(due, ohmic=measured) if due else None
        if seen is not None:
            self._awaiting_ohmic -= measured
            self._last_report |= dict.fromkeys(due, now)
            # A new dict: the status may be reading the old one.
            self._modes = {**self._modes, **dict(zip(seen.string_id, seen.mode, strict=True))}
        return make_batch(seen, sites, measured_strings=measured)

    def pass_over(self, now: datetime) -> None:
        """Move the world on without a report: this time stays a gap."""
        since = self._world.time
        self._world.advance(now)
        self._awaiting_ohmic |= self._world.ohmic_due(since, now)

    def take_back(self, batch: Batch) -> None:
        """Learn that a batch could not be kept: the measurements it carried are still awaited."""
        self._awaiting_ohmic |= batch.measured_strings

    def _refuse_unknown(self, plan: FeedPlan) -> None:
        unknown = sorted(set(plan.strings or ()) - self._order.keys())
        if unknown:
            raise UnknownStrings(f"not in the fleet: {', '.join(unknown[:5])}")

    def _due_strings(self, plan: FeedPlan, now: datetime) -> list[str]:
        working = self._world.discharging()
        stopped = self._was_discharging - working
        self._was_discharging = working
        wanted = self._order.keys() if plan.strings is None else frozenset(plan.strings)
        due = []
        for string, number in self._order.items():
            if string not in wanted:
                continue
            last = self._last_report.get(string)
            if last is None or string in stopped:
                due.append(string)
            elif string in working:
                # Half a tick of tolerance keeps a 2 s rhythm from becoming 3 s.
                if (now - last).total_seconds() >= plan.discharge_interval_s - 0.5:
                    due.append(string)
            elif self._slot(plan, now, number) > self._slot(plan, last, number):
                due.append(string)
        return due

    def _slot(self, plan: FeedPlan, at: datetime, number: int) -> int:
        """Return the number of the interval that a string is in; its border is shifted by the string's place."""
        shift_s = plan.interval_s * number / len(self._order)
        return int(np.floor((at.timestamp() - shift_s) / plan.interval_s))

    def _due_sites(self, plan: FeedPlan, now: datetime) -> SiteObservation | None:
        last = self._last_site_report
        changed = last is not None and self._world.next_change_after(last) <= now
        if last is not None and not changed and (now - last).total_seconds() < plan.site_interval_s:
            return None
        self._last_site_report = now
        return self._world.observe_sites(self._sites(plan))

    def _sites(self, plan: FeedPlan) -> Sequence[str]:
        if plan.strings is None:
            return self._world.location_ids
        return sorted({location_of(string) for string in plan.strings})
