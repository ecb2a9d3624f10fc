"""The batteries of one location advancing through time: in fine steps at work, in coarse ones at rest."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from battery_contracts.fleet import FleetRow
from battery_synth.engine import kernel
from battery_synth.engine.batteries import InstalledBatteries
from battery_synth.engine.day import DAY_S, LocationDay
from battery_synth.engine.layout import TIERS, LocationLayout
from battery_synth.engine.plan import plan_span, single_sample
from battery_synth.engine.strings import FLOAT
from battery_synth.life.events import LifeEvent
from battery_synth.life.policy import Policy
from battery_synth.outside.campaign import Campaign
from battery_synth.outside.scenario import Scenario
from battery_synth.outside.surroundings import Surroundings
from battery_synth.sensing.faults import SensorFaults
from battery_synth.sensing.sensors import Sensors
from battery_synth.state.arrays import (
    ALL_STRINGS,
    NO_STRING,
    BoolArray,
    FloatArray,
    Flow,
    IntArray,
    Plan,
    PlantState,
    TrueRows,
)
from battery_synth.state.readings import DayTruth, Sampling, SimulatedReadings

OHMIC_EVERY_S: Final = DAY_S
_BATTERIES_KEY: Final = "jars"
"""Key of the batteries in saved states; it keeps its first spelling, so that older checkpoints still load."""
_SAME_S: Final = 1e-5
_YEAR_S, _PAST_STEP_S = 365.25 * DAY_S, 6.0 * 3600.0
_FLOAT_HEAT_K: Final = 0.3
"""How much warmer than its air a block on float is."""


class Plant:
    """One location: `advance` moves it forward, `run` also samples it, `read_sensors` reads the sensors now.

    Time is in s since 1970 and runs forward. At every midnight (UTC), and whenever a battery fails suddenly, wear is
    converted into today's capacity, resistance and float current; at midnights the policy replaces batteries.
    """

    def __init__(
        self,
        seed: int,
        fleet: Sequence[FleetRow],
        *,
        start_s: float,
        policy: Policy,
        scenario: Scenario | None = None,
        campaign: Campaign | None = None,
        saved: dict[str, Any] | None = None,
        with_sensor_faults: bool = False,
    ) -> None:
        """Build a location settled on float at ``start_s``, or continue exactly from the result of `saved`.

        With sensor faults the monitor reports wrong values or none at times; without them it has errors and noise.

        Raises
        ------
        ValueError
            The fleet is not that of a single location, or the saved state belongs to another fleet.
        """
        self.layout = layout = LocationLayout.of(fleet)
        strings = len(layout.string_ids)
        self.outside = Surroundings.of(
            seed,
            layout.location,
            layout.system_ids,
            strings,
            layout.rated_ah,
            rectifiers=layout.rectifiers,
            scenario=scenario,
            campaign=campaign,
        )
        self._warmer_k = self.outside.warmer_k(layout.string_ids, layout.width, TIERS)
        self._sensors = Sensors.of(seed, layout.location.code, layout.battery_ids, layout.string_ids)
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
            block_c = self._day.air_c(np.array([self.time_s]))[0] + self._warmer_k + _FLOAT_HEAT_K
            self._batteries = InstalledBatteries.of_catalogue(seed, layout, policy, self._warmer_k)
            wear = self._batteries.wear_since_installation(self.time_s, self._past_mean_c())
            self._state = PlantState.settled_at(block_c, len(layout.string_ids), wear)
        else:
            self._batteries = InstalledBatteries(seed, layout, policy, self._warmer_k, saved[_BATTERIES_KEY])
            self._state = PlantState.unpacked(saved["state"])
            if self._state.block_c.shape != self._warmer_k.shape:
                raise ValueError("the saved state belongs to another fleet")
        self._blocks = self._batteries.blocks(self._state, self.time_s)
        if saved is not None:
            # The parameters are those of the last midnight, not of this instant.
            self._blocks = self._blocks.restored(saved["blocks"])
        self._refresh_s = self._next_refresh_s()

    def saved(self) -> dict[str, Any]:
        """Return what a later run needs to continue exactly from here; arrays by name."""
        return {
            "time_s": self.time_s,
            "room_c": float(self._day.room_c[0]),
            "state": self._state.packed(),
            _BATTERIES_KEY: self._batteries.saved(),
            "blocks": self._blocks.refreshed(),
        }

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to_s: float) -> None:
        """Advance to an instant without reading the sensors."""
        for _span in self._spans(to_s, None):
            continue

    def run(self, to_s: float, sampling: Sampling) -> SimulatedReadings:
        """Advance to an instant and return the sensor readings of [now, then)."""
        return SimulatedReadings.joined(
            [
                self._readings(plan, rows, self._regular_due(rows, sampling))
                for plan, rows in self._spans(to_s, sampling)
            ]
        )

    def take_events(self) -> list[LifeEvent]:
        """Return the life events of batteries since the last call."""
        return self._batteries.take_events()

    def installations(self) -> list[LifeEvent]:
        """Return the installation of every battery that is installed now."""
        return self._batteries.installations()

    def _spans(self, to_s: float, sampling: Sampling | None) -> Iterator[tuple[Plan, TrueRows]]:
        """Advance to an instant; yield each span with constant wear and the true values of its samples."""
        while self.time_s < to_s:
            until_s = min(to_s, self._refresh_s)
            plan = plan_span(self._day, self.time_s, until_s, len(self.layout.string_ids), sampling)
            rows = TrueRows.empty(int(plan.first_row[-1]), self.layout.width)
            kernel.run(self._state, self._blocks, self._flow, plan, rows)
            self.time_s = until_s
            yield plan, rows
            if until_s >= self._refresh_s:
                self._refresh()

    def _refresh(self) -> None:
        """Convert wear into today's block parameters; at midnight begin a new day and do its maintenance."""
        if self.time_s >= self._day.start_s + DAY_S:
            self._day = self._day_at(self.time_s, float(self._day.room_c[-1]))
            self._batteries.maintain(self._state, self.time_s)
        self._blocks = self._batteries.blocks(self._state, self.time_s)
        self._refresh_s = self._next_refresh_s()

    def _past_mean_c(self) -> FloatArray:
        """Return the mean block temperatures (n,) of the past year, independent of today's weather."""
        past_s = self.time_s - np.arange(0.0, _YEAR_S, _PAST_STEP_S)
        mean_c = float(self.outside.room_target_c(past_s)[0].mean())
        return mean_c + self._warmer_k + _FLOAT_HEAT_K

    def _next_refresh_s(self) -> float:
        return min(self._day.start_s + DAY_S, self._batteries.next_sudden_s(self.time_s))

    def _day_at(self, midnight_s: float, room_c: float) -> LocationDay:
        return LocationDay.of(
            self.outside, midnight_s, room_c, len(self.layout.system_ids), has_rectifiers=bool(self.layout.rectifiers)
        )

    # -- reading the sensors ------------------------------------------------------------------------------------

    def read_sensors(self, ohmic: BoolArray) -> SimulatedReadings:
        """Read all sensors now; ``ohmic`` (g,) marks the strings whose block resistances are measured too."""
        plan, rows = self._present()
        return self._readings(plan, rows, ohmic)

    def modes(self) -> IntArray:
        """Return the present modes of the strings (g,), as indices into `MODES`."""
        return self._present()[1].mode.astype(np.int64)

    def next_edge_s(self, after_s: float) -> float:
        """Return the next instant at which a discharge begins or ends or a charger changes; midnight at the latest."""
        # An instant that was rounded to microseconds may lie a little before itself.
        later = self._day.breaks_s[self._day.breaks_s > after_s + _SAME_S]
        return float(later[0]) if len(later) else self._day.start_s + DAY_S

    def ohmic_due(self, after_s: float, until_s: float) -> BoolArray:
        """Return for which strings (g,) the daily resistance measurement falls into (after, until]; they take turns."""
        return _measured_at(until_s, self._turn_s) > _measured_at(after_s, self._turn_s)

    def truth(self) -> DayTruth:
        """Return the true condition of the blocks now."""
        return self._batteries.truth(self._state, self._blocks, round(self.time_s * 1e6))

    def _present(self) -> tuple[Plan, TrueRows]:
        plan = single_sample(self._day, self.time_s, ALL_STRINGS, len(self.layout.string_ids))
        rows = TrueRows.empty(len(self.layout.string_ids), self.layout.width)
        kernel.run(self._state, self._blocks, self._flow, plan, rows)
        return plan, rows

    def _regular_due(self, rows: TrueRows, sampling: Sampling) -> BoolArray:
        """Return which rows (R,) carry a resistance: the first regular sample after a string's turn."""
        part = np.mod(rows.instant_s + _SAME_S, sampling.every_s)
        at_s, turn_s = self._day.start_s + rows.instant_s, self._turn_s[rows.string]
        due: BoolArray = _measured_at(at_s, turn_s) > _measured_at(at_s - sampling.every_s, turn_s)
        return due & (part < 2.0 * _SAME_S)

    def _readings(self, plan: Plan, rows: TrueRows, is_due: BoolArray) -> SimulatedReadings:
        day_us = round(self._day.start_s * 1e6)
        at_us = day_us + np.round(rows.instant_s * 1e6).astype(np.int64)
        # A monitor measures resistance on float only, whichever strings were asked for.
        sensed = self._sensors.read(rows, at_us, is_due & (rows.mode == FLOAT), self._blocks.resistance_25c_mohm)
        sample_s = self._day.start_s + plan.instant_s[plan.sampled != NO_STRING]
        readings = SimulatedReadings(
            at_us=at_us,
            string=rows.string.astype(np.int32),
            mode=rows.mode,
            **sensed._asdict(),
            soc=rows.soc.astype(np.float32),
            location_at_us=day_us + np.round((sample_s - self._day.start_s) * 1e6).astype(np.int64),
            ambient_c=np.round(self._day.air_c(sample_s), 1).astype(np.float32),
            humidity_pct=np.round(self.outside.room_humidity_pct(sample_s)).astype(np.float32),
            hvac=self.outside.hvac_state(sample_s).astype(np.int8),
            mains=self.outside.mains(sample_s),
        )
        return readings if self._faults is None else self._faults.apply(readings)


def _measured_at(at_s: FloatArray | float, turn_s: FloatArray) -> FloatArray:
    """Return the number of measurements up to an instant."""
    count: FloatArray = np.floor((at_s - turn_s) / OHMIC_EVERY_S)
    return count
