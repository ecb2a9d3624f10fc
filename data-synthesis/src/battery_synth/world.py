"""The world of the fleet: climate, rooms, grid, strings and blocks, moving on in time and seen through sensors.

What happens from outside is a function of seed, site and time; only temperatures, charge and wear are integrated. All
batteries move together in arrays: (n,) over blocks, (g,) over strings, (s,) over sites.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState, StringMode
from battery_contracts.fleet import BATTERY_MODELS, FleetRow
from battery_synth import ageing, electrics, weak
from battery_synth.climate import Climate
from battery_synth.schedule import SiteSchedule
from battery_synth.sensors import BlockSensors, StringSensors
from battery_synth.sites import SITE_BY_CODE
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHECKPOINT_VERSION: Final = 1
_STATE: Final = ("room_c", "block_c", "deficit_ah", "overvoltage_v", "fast_v", "slow_v", "effective_age_days")

HEAT_CAPACITY_J_PER_K: Final = 28_000.0
THERMAL_RESISTANCE_K_PER_W: Final = 0.4
BLOCK_TAU_S: Final = HEAT_CAPACITY_J_PER_K * THERMAL_RESISTANCE_K_PER_W
ROOM_TAU_COOLED_S: Final = 1800.0
ROOM_TAU_FAILED_S: Final = 3.0 * 3600.0
FAST_OHM, FAST_TAU_S = 1.5e-3, 1.5
SLOW_OHM, SLOW_TAU_S = 0.8e-3, 300.0
OVERVOLTAGE_TAU_S: Final = 25.0
CHARGE_LIMIT_PER_AH: Final = 0.1
"""Current limit of the charger, 0.1 C."""
ACCEPTANCE_TAU_S: Final = 2.2 * 3600.0
LOAD_FACTOR, POWER_FACTOR, INVERTER_EFFICIENCY = 0.65, 0.9, 0.945
CUT_OFF_V_PER_BLOCK: Final = 10.5


@dataclass(frozen=True, slots=True)
class Observation:
    """What the sensors of some strings say at one instant; resistance is NaN where it was not measured."""

    time: datetime
    battery_id: list[str]
    voltage_v: FloatArray
    current_a: FloatArray
    temperature_c: FloatArray
    internal_resistance_mohm: FloatArray
    string_id: list[str]
    string_voltage_v: FloatArray
    string_current_a: FloatArray
    float_current_ma: FloatArray
    ripple_voltage_v: FloatArray
    ripple_current_a: FloatArray
    mode: list[StringMode]


@dataclass(frozen=True, slots=True)
class SiteObservation:
    """What the site sensors say."""

    time: datetime
    location_id: list[str]
    ambient_c: FloatArray
    humidity_pct: FloatArray
    hvac: list[HvacState]
    mains: list[bool]


class World:
    """The fleet at an instant; `advance` moves it on, `observe` looks at it."""

    def __init__(self, fleet: Sequence[FleetRow], *, seed: int, start: datetime) -> None:
        self.seed = seed
        self.time = start.astimezone(UTC)
        self._fleet = tuple(sorted(fleet, key=lambda row: row.battery_id))
        self._index_fleet()
        self._draw_constants()
        self._settle()

    @classmethod
    def create(cls, fleet: Sequence[FleetRow], *, seed: int, start: datetime) -> "World":
        """Build the world settled on float at ``start``."""
        if not fleet:
            raise ValueError("the fleet has no batteries")
        return cls(fleet, seed=seed, start=start)

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Move on to an instant; steps are fine while a string works hard and coarse on float."""
        to = to.astimezone(UTC)
        if to < self.time:
            raise ValueError(f"time runs forward: the world is at {self.time.isoformat()}")
        while self.time < to:
            change = self.next_change_after(self.time)
            step_s = min((to - self.time).total_seconds(), self._longest_step_s(), (change - self.time).total_seconds())
            self._step(step_s)
            self.time += timedelta(seconds=step_s)

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends somewhere."""
        return min(schedule.next_change_after(at) for schedule in self._schedules)

    def discharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that feed the load now."""
        flags = self._discharge_flags()
        wanted = self.string_ids if string_ids is None else string_ids
        return frozenset(string for string in wanted if flags[self._string_position[string]])

    def recharging(self) -> frozenset[str]:
        """Return the strings that take more than float current now."""
        current = self._string_current_a()
        return frozenset(self.string_ids[i] for i in np.flatnonzero(current > 0.5))

    # -- looking ------------------------------------------------------------------------------------------------

    def observe(self, string_ids: Sequence[str], *, ohmic: frozenset[str] = frozenset()) -> Observation:
        """Read the sensors of strings now; ``ohmic`` names the strings whose blocks' resistance is measured too."""
        strings = np.array([self._string_position[string] for string in string_ids], dtype=np.int64)
        blocks = (strings[:, None] * self._width + np.arange(self._width)).ravel()
        tick = int(self.time.timestamp() * 10)
        currents = self._string_current_a()
        voltages = self._block_v(currents)
        hall = self._string_sensors.current_a(currents[strings], strings, tick)
        resistance = np.full(len(blocks), np.nan)
        measured = np.repeat([string in ohmic for string in string_ids], self._width)
        if measured.any():
            chosen = blocks[measured]
            true = electrics.ohmic_mohm(self._resistance_25c()[chosen], self._soc()[chosen], self.block_c[chosen])
            resistance[measured] = self._block_sensors.resistance_mohm(true, chosen, tick)
        string_v = voltages.reshape(-1, self._width).sum(axis=1)[strings]
        ripple_a = 0.8 + 0.004 * np.abs(currents[strings])
        return Observation(
            time=self.time,
            battery_id=[self.battery_ids[i] for i in blocks],
            voltage_v=self._block_sensors.voltage_v(voltages[blocks], blocks, tick),
            current_a=np.repeat(hall, self._width),
            temperature_c=self._block_sensors.temperature_c(self.block_c[blocks], blocks, tick),
            internal_resistance_mohm=resistance,
            string_id=list(string_ids),
            string_voltage_v=self._string_sensors.voltage_v(string_v, strings, tick),
            string_current_a=hall,
            float_current_ma=self._string_sensors.float_current_ma(currents[strings], strings, tick),
            ripple_voltage_v=np.round(ripple_a * 0.084, 3),
            ripple_current_a=np.round(ripple_a, 2),
            mode=self._modes(string_ids, currents),
        )

    def observe_sites(self, location_ids: Sequence[str] | None = None) -> SiteObservation:
        """Read the site sensors now."""
        wanted = list(self.location_ids if location_ids is None else location_ids)
        positions = [self._site_position[location] for location in wanted]
        hvac = []
        for position in positions:
            event = self._schedules[position].hvac_at(self.time)
            hvac.append(
                HvacState.RUNNING if event is None else HvacState.FAILED if event.failed else HvacState.DEGRADED
            )
        humidity = [45.0 + 0.15 * (self._climates[p].humidity_pct(self.time) - 70.0) for p in positions]
        return SiteObservation(
            time=self.time,
            location_id=wanted,
            ambient_c=np.round(self.room_c[positions], 1),
            humidity_pct=np.round(humidity),
            hvac=hvac,
            mains=[self._schedules[position].mains_at(self.time) for position in positions],
        )

    def ohmic_due(self, since: datetime, until: datetime) -> frozenset[str]:
        """Return the strings whose daily resistance measurement falls into (since, until]; strings take turns."""
        due = set()
        for number, string_id in enumerate(self.string_ids):
            offset_s = 86_400.0 * number / len(self.string_ids)
            last = np.floor((until.timestamp() - offset_s) / 86_400.0) * 86_400.0 + offset_s
            if last > since.timestamp():
                due.add(string_id)
        return frozenset(due)

    # -- checkpoint ---------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return a checkpoint; `load` with the same fleet goes on exactly from here."""
        state = {name: [float.hex(float(value)) for value in getattr(self, name)] for name in _STATE}
        return json.dumps(
            {"version": CHECKPOINT_VERSION, "seed": self.seed, "time": self.time.isoformat(), "state": state}
        ).encode()

    @classmethod
    def load(cls, data: bytes, fleet: Sequence[FleetRow]) -> "World":
        """Rebuild the world of a checkpoint.

        Raises
        ------
        ValueError
            The bytes are no checkpoint of this version, or of another fleet.
        """
        try:
            content: dict[str, Any] = json.loads(data)
            version, seed, at, state = (content[name] for name in ("version", "seed", "time", "state"))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("not a checkpoint of the world") from error
        if version != CHECKPOINT_VERSION:
            raise ValueError(f"checkpoint version {version}, this code writes {CHECKPOINT_VERSION}")
        world = cls(fleet, seed=seed, start=datetime.fromisoformat(at))
        for name in _STATE:
            values = np.array([float.fromhex(text) for text in state[name]])
            if values.shape != getattr(world, name).shape:
                raise ValueError(f"checkpoint of another fleet: {name} has {len(values)} entries")
            setattr(world, name, values)
        return world

    # -- construction -------------------------------------------------------------------------------------------

    def _index_fleet(self) -> None:
        self.battery_ids = [row.battery_id for row in self._fleet]
        self.string_ids = list(dict.fromkeys(row.string_id for row in self._fleet))
        self.location_ids = list(dict.fromkeys(row.location_id for row in self._fleet))
        self._width = len(self._fleet) // len(self.string_ids)
        per_string = [sum(row.string_id == string for row in self._fleet) for string in self.string_ids]
        if set(per_string) != {self._width}:
            raise ValueError("every string must have the same number of batteries")
        unknown = sorted(set(self.location_ids) - set(SITE_BY_CODE))
        if unknown:
            raise ValueError(f"no climate is known for {', '.join(unknown)}")
        self._string_position = {string: i for i, string in enumerate(self.string_ids)}
        self._site_position = {location: i for i, location in enumerate(self.location_ids)}
        heads = self._fleet[:: self._width]
        self._site_of_string = np.array([self._site_position[row.location_id] for row in heads])
        self._site_of_block = np.repeat(self._site_of_string, self._width)
        strings_of_system = {row.system_id: 0 for row in heads}
        for row in heads:
            strings_of_system[row.system_id] += 1
        share = LOAD_FACTOR * POWER_FACTOR / INVERTER_EFFICIENCY * 1e3
        self._power_w = np.array([row.rated_power_kva * share / strings_of_system[row.system_id] for row in heads])

    def _draw_constants(self) -> None:
        sites = [SITE_BY_CODE[code] for code in self.location_ids]
        strings_of = {
            code: tuple(row.string_id for row in self._fleet[:: self._width] if row.location_id == code)
            for code in self.location_ids
        }
        self._climates = [Climate.of_site(self.seed, site.code, site.climate_zone) for site in sites]
        self._schedules = [SiteSchedule(self.seed, site, strings_of[site.code]) for site in sites]
        self._setpoint_c = np.array(
            [23.5 + 2.5 * (1 - site.hvac_quality) + 0.5 * _normal(self.seed, "setpoint", site.code) for site in sites]
        )
        models = [BATTERY_MODELS[row.model_id] for row in self._fleet]
        self._rated_ah = float(models[0].rated_capacity_ah)
        self._cells_per_string = self._width * electrics.CELLS
        string_of_block = [row.string_id for row in self._fleet]
        self._nature = ageing.draw_nature(self.seed, self.battery_ids, string_of_block)
        self._weak = weak.draw_weakness(self.seed, len(self._fleet))
        self._new_resistance_mohm = np.array(
            [row.baseline_resistance_mohm or models[i].nominal_resistance_mohm for i, row in enumerate(self._fleet)]
        )
        base = {s: stream(self.seed, "exchange", s).uniform(14, 27) for s in self.string_ids}
        own = np.array([_normal(self.seed, "exchange", battery) for battery in self.battery_ids])
        # 35 mV of settled spread of float voltages: 6 cells / 11 per V times the scatter of the exchange current.
        self._exchange = np.array([base[string] for string in string_of_block]) * np.exp(0.064 * own)
        # The rack's upper tiers stand in warmer air.
        tier = (np.arange(len(self._fleet)) % self._width) // max(1, self._width // 4)
        self._tier_c = 0.5 * tier
        self._block_sensors = BlockSensors.of(self.seed, self.battery_ids)
        self._string_sensors = StringSensors.of(self.seed, self.string_ids)
        midnight = time(tzinfo=UTC)
        self._installed = np.array([datetime.combine(row.installed_on, midnight).timestamp() for row in self._fleet])

    def _settle(self) -> None:
        """Start on float, at the temperatures that the air conditioning holds."""
        count = len(self._fleet)
        self.room_c = self._room_target_c()[0]
        self.block_c = self.room_c[self._site_of_block] + self._tier_c + self._weak.extra_heat_w * 0.4 + 0.3
        self.deficit_ah = np.zeros(count)
        self.overvoltage_v = np.zeros(count)
        self.fast_v = np.zeros(count)
        self.slow_v = np.zeros(count)
        age_days = np.clip(self.time.timestamp() - self._installed, 0.0, None) / 86_400.0
        self.effective_age_days = age_days * ageing.acceleration(self._setpoint_c[self._site_of_block] + self._tier_c)
        self.overvoltage_v = self._float()[1] - self._open_circuit_v()

    # -- dynamics -----------------------------------------------------------------------------------------------

    def _longest_step_s(self) -> float:
        if self._discharge_flags().any():
            return 5.0
        deepest = float(self.deficit_ah.max())
        if deepest > 0.05:
            return 60.0
        return 3600.0 if deepest < 1e-4 else 600.0

    def _step(self, step_s: float) -> None:
        current = self._string_current_a()
        block_a = np.repeat(current, self._width)
        voltage = self._block_v(current)
        on_float = ~np.repeat(self._discharge_flags(), self._width) & (self.deficit_ah < 1e-4)
        self._step_heat(step_s, block_a, voltage)
        # Float current only feeds gassing and recombination; it is not stored.
        self.deficit_ah = np.where(on_float, 0.0, np.clip(self.deficit_ah - block_a * step_s / 3600.0, 0.0, None))
        self.fast_v = _relaxed(self.fast_v, block_a * FAST_OHM, step_s / FAST_TAU_S)
        self.slow_v = _relaxed(self.slow_v, block_a * SLOW_OHM * (2.0 - self._soc()), step_s / SLOW_TAU_S)
        discharging = np.repeat(self._discharge_flags(), self._width)
        target = np.where(discharging, 0.0, np.clip(voltage - self._open_circuit_v(), 0.0, None))
        self.overvoltage_v = _relaxed(self.overvoltage_v, target, step_s / OVERVOLTAGE_TAU_S)
        self.effective_age_days = self.effective_age_days + step_s / 86_400.0 * ageing.acceleration(self.block_c)

    def _step_heat(self, step_s: float, block_a: FloatArray, voltage: FloatArray) -> None:
        target, tau = self._room_target_c()
        self.room_c = _relaxed(self.room_c, target, step_s / tau)
        ohmic_w = np.square(block_a) * self._resistance_25c() * 1.6e-3
        gassing_w = np.where(np.abs(block_a) < 2.0, np.abs(block_a) * voltage, 0.0)
        heat_w = ohmic_w + gassing_w + self._weak.extra_heat_w
        level = self.room_c[self._site_of_block] + self._tier_c + heat_w * THERMAL_RESISTANCE_K_PER_W
        self.block_c = _relaxed(self.block_c, level, step_s / BLOCK_TAU_S)

    def _room_target_c(self) -> tuple[FloatArray, FloatArray]:
        """Return where the rooms' temperature is going (s,) and how fast (time constants in s)."""
        target = self._setpoint_c.copy()
        tau = np.full(len(target), ROOM_TAU_COOLED_S)
        for position, schedule in enumerate(self._schedules):
            outdoor = self._climates[position].outdoor_c(self.time)
            event = schedule.hvac_at(self.time)
            if event is not None and event.failed:
                # UPS losses and the envelope lift the room above the outdoor air.
                target[position], tau[position] = max(outdoor + 5.0, target[position]), ROOM_TAU_FAILED_S
            else:
                # A cooled room follows the weather a little.
                target[position] += 0.05 * (outdoor - 28.0) + (event.offset_c if event else 0.0)
        return target, tau

    # -- electrics ----------------------------------------------------------------------------------------------

    def _discharge_flags(self) -> npt.NDArray[np.bool_]:
        flags = np.zeros(len(self.string_ids), dtype=bool)
        for position, schedule in enumerate(self._schedules):
            event = schedule.discharge_at(self.time)
            if event is not None:
                flags |= (self._site_of_string == position) & (
                    np.array([event.string_id in (None, string) for string in self.string_ids])
                )
        return flags

    def _string_current_a(self) -> FloatArray:
        """Return the strings' currents (g,): discharge at constant power, recharge within the limit, or float."""
        float_a = self._float()[0]
        deficit = self.deficit_ah.reshape(-1, self._width).mean(axis=1)
        accepted = deficit / (ACCEPTANCE_TAU_S / 3600.0)
        charging: FloatArray = np.minimum(float_a + accepted, CHARGE_LIMIT_PER_AH * self._rated_ah)
        flags = self._discharge_flags()
        if not flags.any():
            return charging
        source = self._source_v().reshape(-1, self._width).sum(axis=1)
        resistance = (self._ohmic_mohm() * 1e-3).reshape(-1, self._width).sum(axis=1)
        drawn = electrics.constant_power_current_a(self._power_w, source, resistance)
        spent = source - drawn * resistance < CUT_OFF_V_PER_BLOCK * self._width
        return np.where(flags, np.where(spent, 0.0, -drawn), charging)

    def _block_v(self, string_a: FloatArray) -> FloatArray:
        """Return the blocks' terminal voltages (n,) at the strings' currents."""
        block_a = np.repeat(string_a, self._width)
        discharging = np.repeat(self._discharge_flags(), self._width)
        loaded = self._source_v() + block_a * self._ohmic_mohm() * 1e-3
        float_v = self._float()[1]
        # In the current limit the block climbs towards its float voltage; in the taper it is held there.
        accepted = self.deficit_ah / (ACCEPTANCE_TAU_S / 3600.0)
        limit = CHARGE_LIMIT_PER_AH * self._rated_ah
        held = np.clip(1.0 - (accepted - limit) / limit, 0.0, 1.0)
        climbing = self._open_circuit_v() + self.slow_v + block_a * 0.03
        charging = float_v * held + np.minimum(climbing, float_v) * (1.0 - held)
        # Coming back from a discharge the overvoltage builds up within a minute.
        built = np.clip(self.overvoltage_v / np.maximum(float_v - self._open_circuit_v(), 1e-6), 0.0, 1.0)
        rising = self._open_circuit_v() + self.fast_v + self.slow_v + block_a * self._ohmic_mohm() * 1e-3
        start = np.minimum(rising, charging)
        return np.where(discharging, loaded, start + (charging - start) * np.clip(built * 1.05, 0.3, 1.0))

    def _source_v(self) -> FloatArray:
        drawn = np.repeat(self._drawn_guess_a(), self._width)
        usable = electrics.available_ah(drawn, self._rated_ah) * self._health()
        # Acid in the plates runs out towards the end of what this rate can give.
        exhaustion = 1.3 * np.clip(self.deficit_ah / usable, 0.0, 1.5) ** 6
        return self._open_circuit_v() + self.overvoltage_v + self.fast_v + self.slow_v - exhaustion

    def _drawn_guess_a(self) -> FloatArray:
        guess: FloatArray = self._power_w / (12.2 * self._width)
        return guess

    def _float(self) -> tuple[FloatArray, FloatArray]:
        """Return the strings' float currents (g,) and the blocks' float voltages (n,)."""
        shape = (-1, self._width)
        temperature = self.block_c.reshape(shape)
        set_v = electrics.compensated_float_v(self._cells_per_string, temperature.mean(axis=1))
        exchange = self._exchange * self._weak.float_factor
        exchange = exchange * ageing.float_ratio(self.effective_age_days, self._nature)
        current, voltage = electrics.string_float(
            set_v, exchange.reshape(shape), temperature, self._weak.good_cells.reshape(shape), self._rated_ah
        )
        return current, voltage.ravel()

    def _open_circuit_v(self) -> FloatArray:
        rested = electrics.open_circuit_v(self._soc(), self.block_c)
        cut: FloatArray = rested * self._weak.good_cells / electrics.CELLS
        return cut

    def _health(self) -> FloatArray:
        return ageing.state_of_health(self.effective_age_days, self._nature) * self._weak.capacity_factor

    def _soc(self) -> FloatArray:
        soc: FloatArray = np.clip(1.0 - self.deficit_ah / (self._rated_ah * self._health()), 0.0, 1.0)
        return soc

    def _resistance_25c(self) -> FloatArray:
        ratio = ageing.resistance_ratio(self.effective_age_days, self._nature)
        return self._new_resistance_mohm * ratio * self._weak.resistance_factor

    def _ohmic_mohm(self) -> FloatArray:
        return electrics.ohmic_mohm(self._resistance_25c(), self._soc(), self.block_c)

    def _modes(self, string_ids: Sequence[str], currents: FloatArray) -> list[StringMode]:
        flags = self._discharge_flags()
        modes = []
        for string in string_ids:
            position = self._string_position[string]
            event = self._schedules[self._site_of_string[position]].discharge_at(self.time)
            if flags[position]:
                tested = event is not None and event.string_id is not None
                modes.append(StringMode.TEST if tested else StringMode.DISCHARGE)
            else:
                modes.append(StringMode.RECHARGE if currents[position] > 2.0 else StringMode.FLOAT)
        return modes


def _relaxed(value: FloatArray, target: FloatArray, steps: FloatArray | float) -> FloatArray:
    """Move exponentially towards a target over ``steps`` time constants: exact for a constant target."""
    moved: FloatArray = target + (value - target) * np.exp(-np.asarray(steps))
    return moved


def _normal(seed: int, *names: str) -> float:
    return float(stream(seed, *names).standard_normal())
