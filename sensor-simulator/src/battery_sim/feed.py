"""The live feed: the schedule of reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from battery_contracts.enums import StringMode
from battery_contracts.ids import location_of
from battery_sim.batch import Batch, make_batch
from battery_synth.world import LocationObservation, World

SHORTEST_INTERVAL_S: Final = 1.0
LONGEST_INTERVAL_S: Final = 60.0


class UnknownStrings(ValueError):
    """The plan names strings that are not in the fleet."""


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """Which strings report and how often; ``strings`` None means all of them."""

    interval_s: float = 60.0
    discharge_interval_s: float = 2.0
    location_interval_s: float = 60.0
    enabled: bool = True
    strings: tuple[str, ...] | None = None


class Feed:
    """Advances the world and makes the batches that are due.

    Strings report once per interval, each at its own offset, so that there are reports every second; a string that
    feeds the load reports every `discharge_interval_s`, and once more when it has stopped. The first report of a string
    after a start contains the resistance of its blocks, as a monitor measures it at power-up; later reports contain it
    once a day.
    """

    def __init__(self, world: World, plan: FeedPlan) -> None:
        self._world = world
        self._order = {string: number for number, string in enumerate(world.string_ids)}
        self._last_report: dict[str, datetime] = {}
        self._last_location_report: datetime | None = None
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
        """The present plan."""
        return self._plan

    @property
    def modes(self) -> Mapping[str, StringMode]:
        """Mode of each string at its last report; a string that has not reported is absent."""
        return self._modes

    def change(self, **changes: Any) -> FeedPlan:
        """Change the plan from the next tick on.

        Raises
        ------
        UnknownStrings
            A string is not in the fleet; the plan stays as it was.
        """
        plan = replace(self._plan, **changes)
        self._refuse_unknown(plan)
        self._plan = plan
        return plan

    def tick(self, now: datetime) -> Batch | None:
        """Advance the world to ``now`` and return the batch that is due, or None."""
        self.pass_over(now)
        plan = self._plan
        if not plan.enabled:
            return None
        due = self._due_strings(plan, now)
        locations = self._due_locations(plan, now)
        measured = self._awaiting_ohmic.intersection(due)
        observation = self._world.observe(due, ohmic=measured) if due else None
        if observation is not None:
            self._awaiting_ohmic -= measured
            self._last_report |= dict.fromkeys(due, now)
            # A new dict: the status may be reading the old one.
            self._modes = {**self._modes, **dict(zip(observation.string_id, observation.mode, strict=True))}
        return make_batch(observation, locations, measured_strings=measured)

    def pass_over(self, now: datetime) -> None:
        """Advance the world without a report: the time stays a gap."""
        since = self._world.time
        self._world.advance(now)
        self._awaiting_ohmic |= self._world.ohmic_due(since, now)

    def take_back(self, batch: Batch) -> None:
        """Register that a batch could not be stored: its resistance measurements are due again."""
        self._awaiting_ohmic |= batch.measured_strings

    def _refuse_unknown(self, plan: FeedPlan) -> None:
        unknown = sorted(set(plan.strings or ()) - self._order.keys())
        if unknown:
            raise UnknownStrings(f"not in the fleet: {', '.join(unknown[:5])}")

    def _due_strings(self, plan: FeedPlan, now: datetime) -> list[str]:
        working = self._world.discharging()
        stopped = self._was_discharging - working
        self._was_discharging = working
        selected = self._order.keys() if plan.strings is None else frozenset(plan.strings)
        due = []
        for string, number in self._order.items():
            if string not in selected:
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

    def _slot(self, plan: FeedPlan, time: datetime, number: int) -> int:
        """Return the number of the interval that contains an instant; each string's intervals have their own offset."""
        shift_s = plan.interval_s * number / len(self._order)
        return int(np.floor((time.timestamp() - shift_s) / plan.interval_s))

    def _due_locations(self, plan: FeedPlan, now: datetime) -> LocationObservation | None:
        last = self._last_location_report
        changed = last is not None and self._world.next_change_after(last) <= now
        if last is not None and not changed and (now - last).total_seconds() < plan.location_interval_s:
            return None
        self._last_location_report = now
        return self._world.observe_locations(self._locations(plan))

    def _locations(self, plan: FeedPlan) -> Sequence[str]:
        if plan.strings is None:
            return self._world.location_ids
        return sorted({location_of(string) for string in plan.strings})
