"""The batteries of one site on their way through time: fine where they work, coarse where they rest."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from battery_contracts.fleet import FleetRow
from battery_synth.engine import kernel
from battery_synth.engine.arrays import ALL_STRINGS, NO_STRING, BoolArray, FloatArray, Flow, IntArray, Rows, State
from battery_synth.engine.day import DAY_S, SiteDay
from battery_synth.engine.jars import Jars
from battery_synth.engine.layout import SiteLayout
from battery_synth.engine.plan import plan_span, single_look
from battery_synth.engine.readings import DayTruth, Readings, Sampling
from battery_synth.life.condition import Wear
from battery_synth.life.lives import LifeEvent
from battery_synth.life.policy import Policy
from battery_synth.outside.outside import Outside
from battery_synth.outside.scenario import Scenario
from battery_synth.sensing.faults import SensorFaults
from battery_synth.sensing.sensors import Sensors

OHMIC_EVERY_S: Final = DAY_S
_FLOAT_HEAT_K: Final = 0.3
"""How much warmer than its air a block on float is."""


class Plant:
    """One site: `advance` moves it on, `run` also looks, `look` reads the sensors now.

    Time is s since 1970 and runs forward. Every midnight (UTC), and whenever a jar fails at once, wear is turned into
    today's capacity, resistance and float current, and at midnights jars are replaced as the policy says.
    """

    def __init__(
        self, seed: int, fleet: Sequence[FleetRow], *, start_s: float, policy: Policy, scenario: Scenario | None = None
    ) -> None:
        self._prepare(seed, fleet, policy, scenario)
        self.time_s = start_s
        self._room_c = float(self.outside.room_target_c(np.array([start_s]))[0][0])
        self.jars = Jars.first(seed, self.layout, start_s)
        block_c = self._room_c + self.layout.tier_c + _FLOAT_HEAT_K
        self._wear = Wear.after(self.jars.installed_s, start_s, block_c)
        self._state = State.settled_at(block_c, len(self.layout.string_ids), self._clocks())
        self._begin()

    @classmethod
    def restored(
        cls,
        saved: dict[str, Any],
        seed: int,
        fleet: Sequence[FleetRow],
        *,
        policy: Policy,
        scenario: Scenario | None = None,
    ) -> "Plant":
        """Go on exactly from what `saved` returned.

        Raises
        ------
        ValueError
            It was another fleet's.
        """
        plant = cls.__new__(cls)
        plant._prepare(seed, fleet, policy, scenario)  # noqa: SLF001  # the same class
        plant._restore(saved)  # noqa: SLF001
        return plant

    def _prepare(self, seed: int, fleet: Sequence[FleetRow], policy: Policy, scenario: Scenario | None) -> None:
        self._seed, self._policy, self._scenario = seed, policy, scenario
        self.layout = SiteLayout.of(fleet)
        layout = self.layout
        self.outside = Outside.of(seed, layout.site, layout.system_ids, layout.string_ids, scenario=scenario)
        self._sensors = Sensors.of(seed, layout.battery_ids, layout.string_ids)
        self._faults = SensorFaults.of(seed, layout.site, layout.battery_ids, layout.string_ids)
        self._flow = Flow.empty(len(layout.string_ids), len(layout.battery_ids), len(layout.system_ids))
        self._events: list[LifeEvent] = []

    def _begin(self) -> None:
        self._day = self._day_from(self.time_s, self._room_c)
        self._blocks = self.jars.blocks(self.layout, self._wear, self.time_s)
        self._refresh_s = self._next_refresh_s()

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to_s: float) -> None:
        """Move on without looking."""
        self._go(to_s, None)

    def run(self, to_s: float, sampling: Sampling) -> Readings:
        """Move on to an instant and return what the sensors said in [now, then)."""
        return self._joined(self._go(to_s, sampling))

    def _go(self, to_s: float, sampling: Sampling | None) -> list[Readings]:
        found = []
        while self.time_s < to_s:
            until_s = min(to_s, self._refresh_s, self._day.start_s + DAY_S)
            plan = plan_span(self._day, self.time_s, until_s, len(self.layout.string_ids), sampling)
            rows = Rows.empty(int(plan.first_row[-1]), self.layout.width)
            kernel.run(self._state, self._blocks, self._flow, plan, rows)
            if sampling is not None:
                due = self._ohmic_due(rows, plan.instant_s, plan.look)
                found.append(self._readings(rows, due, self._site_instants(plan.instant_s, plan.look)))
            self.time_s = until_s
            if until_s >= self._day.start_s + DAY_S:
                self._day = self._day_from(until_s, float(self._day.room_c[-1]))
                self._keep_house()
            if until_s >= self._refresh_s:
                self._refresh()
        return found

    def _day_from(self, at_s: float, room_c: float) -> SiteDay:
        start_s = at_s // DAY_S * DAY_S
        return SiteDay.of(self.outside, start_s, room_c, len(self.layout.system_ids))
