"""The batteries installed at each position: their individual traits, the effect of wear, and their replacement."""

from typing import Any, Final, Self

import numpy as np

from battery_synth.engine.layout import LocationLayout
from battery_synth.life.condition import Condition, Wear, condition, next_sudden_after, spent_part
from battery_synth.life.contacts import Contacts
from battery_synth.life.events import LifeEvent, LifeEventKind, LifeEventReason, battery_name, serial_number
from battery_synth.life.policy import Findings, Policy
from battery_synth.life.sulfate import Sulfate
from battery_synth.life.traits import Traits
from battery_synth.outside.habits import Habits
from battery_synth.state.arrays import BlockParameters, FloatArray, IntArray, PlantState
from battery_synth.state.readings import DayTruth

_NOT_FAILED_S: Final = 1e18
_FATE: Final = ("life_days", "sudden_part", "strap_s", "short_s")
"""Traits that do not follow from a name alone: that a battery was alive when the world began changes its fate."""
_DAY_S: Final = 86_400.0


class InstalledBatteries:
    """The installed batteries of a location (n,): generation, delivery, traits and failure.

    The wear clocks belong to the engine's state.
    """

    def __init__(
        self, seed: int, layout: LocationLayout, policy: Policy, warmer_k: FloatArray, births: dict[str, Any]
    ) -> None:
        """Install batteries; ``warmer_k`` (n,) is how much warmer than the room the air at each position is."""
        self._seed, self._layout, self._policy, self._warmer_k = seed, layout, policy, warmer_k
        self._generation: IntArray = np.array(births["generation"], np.int64)
        self._delivery: IntArray = np.array(births["delivery"], np.int64)
        self._installed_s: FloatArray = np.array(births["installed_s"], np.float64)
        self._failed_s: FloatArray = np.array(births["failed_s"], np.float64)
        self._traits = self._drawn(np.arange(len(self._generation)))
        for name in _FATE:
            if name in births:
                setattr(self._traits, name, np.array(births[name], np.float64))
        self._sulfate = Sulfate(births, len(self._generation))
        habits = Habits.of(seed, layout.location.code)
        self._contacts = Contacts(seed, habits, layout.battery_ids, layout.nominal_mohm)
        self._events: list[LifeEvent] = []
        self._cached: tuple[float, Condition] | None = None

    @classmethod
    def of_catalogue(cls, seed: int, layout: LocationLayout, policy: Policy, warmer_k: FloatArray) -> Self:
        """Return the batteries that the catalogue lists."""
        count = len(layout.battery_ids)
        births = {
            "generation": np.zeros(count, np.int64),
            "delivery": np.zeros(count, np.int64),
            "installed_s": layout.installed_s,
            "failed_s": np.full(count, _NOT_FAILED_S),
        }
        return cls(seed, layout, policy, warmer_k, births)

    def saved(self) -> dict[str, Any]:
        """Return what the constructor needs to rebuild these batteries: most traits follow from seed and name."""
        return {
            "generation": self._generation.copy(),
            "delivery": self._delivery.copy(),
            "installed_s": self._installed_s.copy(),
            "failed_s": self._failed_s.copy(),
            **{name: getattr(self._traits, name).copy() for name in _FATE},
            **self._sulfate.saved(),
        }

    def wear_since_installation(self, at_s: float, temperature_c: FloatArray) -> tuple[FloatArray, ...]:
        """Return the clocks (thermal, overcharge, undercharge, cycles) of batteries that floated at a temperature.

        These batteries are in service now, so a failure that would have removed them earlier is cancelled.
        """
        wear = Wear.after(self._installed_s, at_s, temperature_c, self._traits.activation_ev)
        self._traits.survive(at_s, spent_part(self._traits, wear))
        self._sulfate = Sulfate.after_float(self._traits, at_s)
        return wear.thermal_days, wear.overcharge_days, wear.undercharge_days, wear.cycle_share

    def next_sudden_s(self, after_s: float) -> float:
        """Return the next instant at which a battery fails without warning, in s since 1970."""
        return next_sudden_after(self._traits, after_s)

    def blocks(self, state: PlantState, at_s: float) -> BlockParameters:
        """Return the block parameters that wear has led to."""
        layout = self._layout
        now = self._condition(state, at_s)
        self._note_failures(now, at_s)
        exchange_ma = self._traits.exchange_ma_per_100ah * now.exchange_ratio
        return BlockParameters(
            width=layout.width,
            rated_ah=layout.rated_ah,
            activation_ev=self._traits.activation_ev,
            full_cycles=self._traits.full_cycles,
            cycle_exponent=self._traits.cycle_exponent,
            system_of_string=layout.system_of_string,
            is_rectifier=layout.is_rectifier,
            rated_w=layout.rated_w,
            warmer_k=self._warmer_k,
            capacity_ah=layout.rated_ah * now.health,
            resistance_25c_mohm=self._base_mohm() * now.resistance_ratio
            + self._contacts.resistance_mohm(at_s, self._installed_s),
            log_exchange=np.log(layout.rated_ah / 100.0 * exchange_ma * 1e-3),
            good_cells=now.good_cells,
            is_open=now.is_open,
            extra_heat_w=now.extra_heat_w,
            ocv_offset_v=now.ocv_offset_v,
        )

    def _base_mohm(self) -> FloatArray:
        """Return the resistances (n,) of the new batteries, at 25 °C and with new contacts."""
        replaced_mohm = self._layout.nominal_mohm * self._traits.new_resistance_ratio
        return np.where(self._generation == 0, self._layout.baseline_mohm, replaced_mohm)

    def maintain(self, state: PlantState, at_s: float) -> None:
        """Do the maintenance of a midnight: take new strings into service, replace batteries that are due."""
        # A history may begin before a string of the catalogue was installed: earlier wear belongs to its predecessor.
        arrived = (self._installed_s > at_s - _DAY_S) & (self._installed_s <= at_s)
        arrivals = np.flatnonzero(arrived & (self._generation == 0))
        _reset(state, arrivals)
        self._sulfate.renew(arrivals)
        self._sulfate.pass_day(self._traits, state, self._layout.rated_ah * self._traits.initial_capacity)
        names = [battery_name(*key) for key in zip(self._layout.battery_ids, self._generation.tolist(), strict=True)]
        now = self._condition(state, at_s)
        findings = Findings(
            names=names,
            string_ids=self._layout.string_ids,
            age_days=(at_s - self._installed_s) / _DAY_S,
            failed_since_s=self._failed_s,
            is_open=now.is_open,
            is_shorted=now.good_cells < 6.0,
            health=now.health,
            resistance_ratio=now.resistance_ratio
            + self._contacts.resistance_mohm(at_s, self._installed_s) / self._base_mohm(),
        )
        rows = self._policy.swaps(at_s, findings)
        if len(rows):
            self._replace(state, rows, at_s)

    def truth(self, state: PlantState, blocks: BlockParameters, at_us: int) -> DayTruth:
        """Return the true condition of the blocks."""
        now = self._condition(state, at_us / 1e6)
        return DayTruth(
            at_us=at_us,
            health=now.health.astype(np.float32),
            capacity_ah=(self._layout.rated_ah * now.health).astype(np.float32),
            resistance_25c_mohm=blocks.resistance_25c_mohm.astype(np.float32),
            exchange_ratio=now.exchange_ratio.astype(np.float32),
            mechanism=self._traits.mechanism.astype(np.int8),
            generation=self._generation.astype(np.int32),
            failed=now.failed,
        )

    def take_events(self) -> list[LifeEvent]:
        """Return the events since the last call."""
        taken, self._events = self._events, []
        return taken

    def installations(self) -> list[LifeEvent]:
        """Return the installation of every battery that is installed now."""
        rows = range(len(self._generation))
        return [self._event(row, float(self._installed_s[row]), "installed", "commissioning") for row in rows]

    def _condition(self, state: PlantState, at_s: float) -> Condition:
        """Return the condition of the batteries; maintenance, blocks and truth of one midnight share the result."""
        if self._cached is None or self._cached[0] != at_s:
            self._cached = at_s, condition(self._traits, _wear(state), at_s, self._sulfate.share)
        return self._cached[1]

    def _note_failures(self, now: Condition, at_s: float) -> None:
        for row in np.flatnonzero(now.failed & (self._failed_s >= _NOT_FAILED_S)):
            self._failed_s[row] = at_s
            self._events.append(self._event(int(row), at_s, "failed", _cause(now, int(row))))

    def _replace(self, state: PlantState, rows: IntArray, at_s: float) -> None:
        reasons = {int(row): self._reason(int(row), rows) for row in rows}
        self._events += [self._event(row, at_s, "removed", reason) for row, reason in reasons.items()]
        self._generation[rows] += 1
        # Batteries installed on one day come from one delivery.
        self._delivery[rows] = int(at_s // _DAY_S)
        self._installed_s[rows] = at_s
        self._failed_s[rows] = _NOT_FAILED_S
        self._traits.replace_rows(rows, self._drawn(rows))
        self._cached = None
        _reset(state, rows)
        self._sulfate.renew(rows)
        # A new battery arrives charged; the surface charge and polarisation of its string settle within hours.
        state.deficit_ah[rows] = state.fast_v[rows] = state.slow_v[rows] = state.exhausted_v[rows] = 0.0
        self._events += [self._event(row, at_s, "installed", reason) for row, reason in reasons.items()]

    def _reason(self, row: int, rows: IntArray) -> LifeEventReason:
        """Return why a battery is replaced, alone or with its string."""
        if self._failed_s[row] < _NOT_FAILED_S:
            return "failed"
        width = self._layout.width
        return "string_replaced" if (rows // width == row // width).sum() == width else "weak"

    def _drawn(self, rows: IntArray) -> Traits:
        ids = [self._layout.battery_ids[row] for row in rows]
        names = [
            battery_name(battery, int(number)) for battery, number in zip(ids, self._generation[rows], strict=True)
        ]
        strings = [self._layout.string_ids[row // self._layout.width] for row in rows]
        lots = [f"{string}@{delivery}" for string, delivery in zip(strings, self._delivery[rows], strict=True)]
        return Traits.draw(self._seed, names, lots, self._installed_s[rows])

    def _event(self, row: int, at_s: float, kind: LifeEventKind, reason: LifeEventReason) -> LifeEvent:
        battery, generation = self._layout.battery_ids[row], int(self._generation[row])
        serial = self._layout.serial_numbers[row]
        if generation > 0:
            day = np.datetime64(int(self._installed_s[row]), "s").astype("datetime64[D]").item()
            serial = serial_number(battery, generation, f"{day:%y%m}")
        return LifeEvent(at_s, kind, battery, generation, serial, reason)


def _wear(state: PlantState) -> Wear:
    return Wear(state.thermal_days, state.overcharge_days, state.undercharge_days, state.cycle_share)


def _reset(state: PlantState, rows: IntArray) -> None:
    for clock in (state.thermal_days, state.overcharge_days, state.undercharge_days, state.cycle_share):
        clock[rows] = 0.0


def _cause(now: Condition, row: int) -> LifeEventReason:
    if now.is_open[row]:
        return "open_circuit"
    return "shorted_cell" if now.good_cells[row] < 6.0 else "capacity"
