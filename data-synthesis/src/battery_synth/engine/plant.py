"""The batteries of one site on their way through time: fine where they work, coarse where they rest."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from battery_contracts.fleet import FleetRow
from battery_synth.engine import kernel
from battery_synth.engine.arrays import ALL_STRINGS, NO_STRING, BoolArray, FloatArray, Flow, IntArray, Plan, Rows, State
from battery_synth.engine.day import DAY_S, SiteDay
from battery_synth.engine.jars import Jars
from battery_synth.engine.layout import SiteLayout
from battery_synth.engine.plan import plan_span, single_look
from battery_synth.engine.readings import DayTruth, Readings, Sampling
from battery_synth.engine.strings import FLOAT
from battery_synth.life.lives import LifeEvent
from battery_synth.life.policy import Policy
from battery_synth.outside.outside import Outside
from battery_synth.outside.scenario import Scenario
from battery_synth.sensing.faults import SensorFaults
from battery_synth.sensing.sensors import Sensors

OHMIC_EVERY_S: Final = DAY_S
_SAME_S: Final = 1e-5
_YEAR_S, _PAST_STEP_S = 365.25 * DAY_S, 6.0 * 3600.0
_FLOAT_HEAT_K: Final = 0.3
"""How much warmer than its air a block on float is."""


class Plant:
    """One site: `advance` moves it on, `run` also looks, `look` reads the sensors now.

    Time is s since 1970 and runs forward. At every midnight (UTC), and whenever a jar fails at once, wear is turned
    into today's capacity, resistance and float current; at midnights jars are replaced as the policy says.
    """

    def __init__(
        self,
        seed: int,
        fleet: Sequence[FleetRow],
        *,
        start_s: float,
        policy: Policy,
        scenario: Scenario | None = None,
        saved: dict[str, Any] | None = None,
        with_sensor_faults: bool = False,
    ) -> None:
        """Build a site settled on float at ``start_s``, or go on exactly from what `saved` returned.

        With sensor faults the monitor lies or is silent now and then; without them it only errs.

        Raises
        ------
        ValueError
            The fleet is no single site's, or what was saved is of another fleet.
        """
        self.layout = layout = SiteLayout.of(fleet)
        self.outside = Outside.of(
            seed, layout.site, layout.system_ids, len(layout.string_ids), layout.rated_ah, scenario=scenario
        )
        self._sensors = Sensors.of(seed, layout.battery_ids, layout.string_ids)
        self._faults = SensorFaults(seed, layout.string_ids, layout.width) if with_sensor_faults else None
        self._flow = Flow.empty(len(layout.string_ids), len(layout.battery_ids), len(layout.system_ids))
        self.time_s = start_s if saved is None else float(saved["time_s"])
        midnight_s = self.time_s // DAY_S * DAY_S
        usual_c = float(self.outside.room_target_c(np.array([midnight_s]))[0][0])
        room_c = usual_c if saved is None else float(saved["room_c"])
        self._day = self._day_at(midnight_s, room_c)
        # Strings take turns with the daily resistance measurement.
        self._turn_s = OHMIC_EVERY_S * np.arange(len(layout.string_ids)) / len(layout.string_ids)
        if saved is None:
            block_c = self._day.air_c(np.array([self.time_s]))[0] + layout.tier_c + _FLOAT_HEAT_K
            self._jars = Jars.of_catalogue(seed, layout, policy)
            wear = self._jars.wear_since_installation(self.time_s, self._lived_c())
            self._state = State.settled_at(block_c, len(layout.string_ids), wear)
        else:
            self._jars = Jars(seed, layout, policy, saved["jars"])
            self._state = State.unpacked(saved["state"])
            if self._state.block_c.shape != layout.tier_c.shape:
                raise ValueError("what was saved is of another fleet")
        self._blocks = self._jars.blocks(self._state, self.time_s)
        if saved is not None:
            # They are those of the last midnight, not of this instant.
            self._blocks = self._blocks.restored(saved["blocks"])
        self._refresh_s = self._next_refresh_s()

    def saved(self) -> dict[str, Any]:
        """Return all that a later run needs to go on exactly from here; arrays by name."""
        return {
            "time_s": self.time_s,
            "room_c": float(self._day.room_c[0]),
            "state": self._state.packed(),
            "jars": self._jars.saved(),
            "blocks": self._blocks.refreshed(),
        }

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to_s: float) -> None:
        """Move on without looking."""
        for _span in self._spans(to_s, None):
            continue

    def run(self, to_s: float, sampling: Sampling) -> Readings:
        """Move on to an instant and return what the sensors said in [now, then)."""
        return Readings.joined(
            [
                self._readings(plan, rows, self._regular_due(rows, sampling))
                for plan, rows in self._spans(to_s, sampling)
            ]
        )

    def take_events(self) -> list[LifeEvent]:
        """Return what happened to jars since the last call."""
        return self._jars.take_events()

    def installations(self) -> list[LifeEvent]:
        """Return the installation of every jar that stands here now."""
        return self._jars.installations()

    def _spans(self, to_s: float, sampling: Sampling | None) -> Iterator[tuple[Plan, Rows]]:
        """Go on to an instant; yield each stretch in which wear stands still, with what was looked at."""
        while self.time_s < to_s:
            until_s = min(to_s, self._refresh_s)
            plan = plan_span(self._day, self.time_s, until_s, len(self.layout.string_ids), sampling)
            rows = Rows.empty(int(plan.first_row[-1]), self.layout.width)
            kernel.run(self._state, self._blocks, self._flow, plan, rows)
            self.time_s = until_s
            yield plan, rows
            if until_s >= self._refresh_s:
                self._refresh()

    def _refresh(self) -> None:
        """Turn wear into today's blocks; at midnight the day changes too, and people do what is due."""
        if self.time_s >= self._day.start_s + DAY_S:
            self._day = self._day_at(self.time_s, float(self._day.room_c[-1]))
            self._jars.keep_house(self._state, self.time_s)
        self._blocks = self._jars.blocks(self._state, self.time_s)
        self._refresh_s = self._next_refresh_s()

    def _lived_c(self) -> FloatArray:
        """Return the temperatures (n,) that the blocks lived in: the year's mean, whatever the weather does today."""
        past_s = self.time_s - np.arange(0.0, _YEAR_S, _PAST_STEP_S)
        mean_c = float(self.outside.room_target_c(past_s)[0].mean())
        return mean_c + self.layout.tier_c + _FLOAT_HEAT_K

    def _next_refresh_s(self) -> float:
        return min(self._day.start_s + DAY_S, self._jars.next_sudden_s(self.time_s))

    def _day_at(self, midnight_s: float, room_c: float) -> SiteDay:
        return SiteDay.of(self.outside, midnight_s, room_c, len(self.layout.system_ids))

    # -- looking ------------------------------------------------------------------------------------------------

    def look(self, ohmic: BoolArray) -> Readings:
        """Read all sensors now; ``ohmic`` (g,) names the strings whose blocks' resistance is measured too."""
        plan, rows = self._present()
        return self._readings(plan, rows, ohmic)

    def modes(self) -> IntArray:
        """Return what the strings (g,) do now, as positions in `MODES`."""
        return self._present()[1].mode.astype(np.int64)

    def next_edge_s(self, after_s: float) -> float:
        """Return the next instant at which a discharge begins or ends or a charger changes; midnight at the latest."""
        # An instant that went through a clock of microseconds may lie a little before itself.
        later = self._day.breaks_s[self._day.breaks_s > after_s + _SAME_S]
        return float(later[0]) if len(later) else self._day.start_s + DAY_S

    def ohmic_due(self, after_s: float, until_s: float) -> BoolArray:
        """Say for which strings (g,) the daily resistance measurement falls into (after, until]; they take turns."""
        return _measured_at(until_s, self._turn_s) > _measured_at(after_s, self._turn_s)

    def truth(self) -> DayTruth:
        """Return what is really so with the blocks now."""
        return self._jars.truth(self._state, self._blocks, round(self.time_s * 1e6))

    def _present(self) -> tuple[Plan, Rows]:
        plan = single_look(self._day, self.time_s, ALL_STRINGS, len(self.layout.string_ids))
        rows = Rows.empty(len(self.layout.string_ids), self.layout.width)
        kernel.run(self._state, self._blocks, self._flow, plan, rows)
        return plan, rows

    def _regular_due(self, rows: Rows, sampling: Sampling) -> BoolArray:
        """Say which rows (R,) carry a resistance: the first regular look after a string's turn."""
        part = np.mod(rows.instant_s + _SAME_S, sampling.every_s)
        at_s, turn_s = self._day.start_s + rows.instant_s, self._turn_s[rows.string]
        due: BoolArray = _measured_at(at_s, turn_s) > _measured_at(at_s - sampling.every_s, turn_s)
        return due & (part < 2.0 * _SAME_S)

    def _readings(self, plan: Plan, rows: Rows, is_due: BoolArray) -> Readings:
        day_us = round(self._day.start_s * 1e6)
        at_us = day_us + np.round(rows.instant_s * 1e6).astype(np.int64)
        # A monitor measures resistance on float only: a string that works has none, whoever asks.
        seen = self._sensors.read(rows, at_us, is_due & (rows.mode == FLOAT), self._blocks.resistance_25c_mohm)
        site_s = self._day.start_s + plan.instant_s[plan.look != NO_STRING]
        readings = Readings(
            at_us=at_us,
            string=rows.string.astype(np.int32),
            mode=rows.mode,
            **seen._asdict(),
            soc=rows.soc.astype(np.float32),
            site_at_us=day_us + np.round((site_s - self._day.start_s) * 1e6).astype(np.int64),
            ambient_c=np.round(self._day.air_c(site_s), 1).astype(np.float32),
            humidity_pct=np.round(self.outside.room_humidity_pct(site_s)).astype(np.float32),
            hvac=self.outside.hvac_state(site_s).astype(np.int8),
            mains=self.outside.mains(site_s),
        )
        return readings if self._faults is None else self._faults.apply(readings)


def _measured_at(at_s: FloatArray | float, turn_s: FloatArray) -> FloatArray:
    """Return the number of measurements that lie behind an instant."""
    count: FloatArray = np.floor((at_s - turn_s) / OHMIC_EVERY_S)
    return count
