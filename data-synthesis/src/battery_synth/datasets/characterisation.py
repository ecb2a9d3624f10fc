"""Recordings of one new block on a test bench, as a digital twin is calibrated from: a slow and a fast discharge."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from battery_contracts.fleet import BATTERY_MODELS, FleetRow
from battery_synth.catalogue import build_catalogue
from battery_synth.engine.plant import Plant
from battery_synth.life.policy import Unattended
from battery_synth.outside import scenario
from battery_synth.outside.chargers import ChargerFault
from battery_synth.outside.grid import DischargeSpan
from battery_synth.state.readings import Sampling

FloatArray = npt.NDArray[np.float64]

EVERY_S: Final = 10.0
SLOW_C_RATE, PULSE_C_RATE, FAST_C_RATE = 0.1, 0.5, 0.6
SLOW_CUT_OFF_V, FAST_CUT_OFF_V = 10.8, 10.5
_SETTLE_S, _REST_S = 600.0, 1800.0
_HOUR_S = 3600.0
# Nobody visits at night, when the room is steady.
_BEGINS_AT: Final = time(22, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BenchRun:
    """A recording (m,) of one block from its rest to its cut-off; current is positive while charging."""

    name: str
    time_s: FloatArray
    current_a: FloatArray
    voltage_v: FloatArray
    temperature_c: FloatArray

    def write(self, folder: Path) -> Path:
        """Write the recording as CSV, with the columns that `battery-twin calibrate` reads."""
        path = folder / f"{self.name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("time_s", "current_a", "voltage_v", "temperature_c"))
            for at_s, amps, volts, celsius in zip(
                self.time_s, self.current_a, self.voltage_v, self.temperature_c, strict=True
            ):
                writer.writerow((f"{at_s:.0f}", f"{amps:.3f}", f"{volts:.3f}", f"{celsius:.1f}"))
        return path


def characterise(seed: int, as_of: date) -> tuple[BenchRun, BenchRun]:
    """Record a block of the youngest string of the fleet twice: slowly with rests and pulses, and fast.

    It is the block of most capacity among those that reach the cut-off voltage before the string as a whole ends.

    Raises
    ------
    ValueError
        No block reaches its cut-off voltage in both discharges.
    """
    rows = youngest_string(build_catalogue(seed, as_of=as_of))
    rated_ah = BATTERY_MODELS[rows[0].model_id].rated_capacity_ah
    begins_s = datetime.combine(as_of, _BEGINS_AT).timestamp()
    fast_s = begins_s + _REST_S
    fast_steps = [
        DischargeSpan(fast_s, fast_s + 4 * _HOUR_S, fast_s + 4 * _HOUR_S, "capacity_test", 0, FAST_C_RATE * rated_ah)
    ]
    slow = _Discharge.of(seed, rows, begins_s, list(_slow_steps(begins_s, rated_ah)), SLOW_CUT_OFF_V)
    fast = _Discharge.of(seed, rows, begins_s, fast_steps, FAST_CUT_OFF_V)
    reaches = slow.reaches & fast.reaches
    if not reaches.any():
        raise ValueError(f"no block of {rows[0].string_id} reaches its cut-off voltage; choose another day or seed")
    block = int(np.argmax(np.where(reaches, slow.health, -np.inf)))
    return slow.of_block("slow", block), fast.of_block("fast", block)


def youngest_string(catalogue: Sequence[FleetRow]) -> list[FleetRow]:
    """Return the rows of the string whose oldest battery is the youngest."""
    strings: dict[str, list[FleetRow]] = {}
    for row in catalogue:
        strings.setdefault(row.string_id, []).append(row)
    return max(strings.values(), key=lambda rows: min(row.installed_on for row in rows))


def _slow_steps(at_s: float, rated_ah: float) -> Iterator[DischargeSpan]:
    """Yield, after rests of half an hour, slow discharges and a pulse each, and finally a discharge to the cut-off."""
    slow_a, pulse_a = SLOW_C_RATE * rated_ah, PULSE_C_RATE * rated_ah
    for _ in range(3):
        for length_s, current_a in ((_REST_S, None), (4500.0, slow_a), (60.0, pulse_a), (1200.0, slow_a)):
            if current_a is not None:
                yield DischargeSpan(at_s, at_s + length_s, at_s + length_s, "capacity_test", 0, current_a)
            at_s += length_s
    yield DischargeSpan(at_s, at_s + 10 * _HOUR_S, at_s + 10 * _HOUR_S, "capacity_test", 0, slow_a)


@dataclass(frozen=True, slots=True)
class _Discharge:
    """A discharge of a string (m,) with the voltages and temperatures of its blocks (m, n), and their capacity (n,)."""

    current_a: FloatArray
    voltage_v: FloatArray
    temperature_c: FloatArray
    health: FloatArray
    cut_off_v: float

    @classmethod
    def of(
        cls, seed: int, rows: Sequence[FleetRow], begins_s: float, steps: Sequence[DischargeSpan], cut_off_v: float
    ) -> Self:
        """Discharge a string whose charger is off from an instant on: it rests wherever no step discharges it."""
        off = ChargerFault(begins_s - 60.0, steps[-1].end_s + 60.0, 0, "off")
        outside = scenario.Scenario("characterisation", tuple(steps), charger_faults=(off,))
        plant = Plant(seed, rows, start_s=begins_s - _SETTLE_S, policy=Unattended(), scenario=outside)
        readings = plant.run(steps[-1].end_s, Sampling(EVERY_S))
        shape, settled = (-1, plant.layout.width), slice(int(_SETTLE_S / EVERY_S), None)
        return cls(
            current_a=readings.current_a[settled].astype(np.float64),
            voltage_v=readings.voltage_v.reshape(shape)[settled].astype(np.float64),
            temperature_c=readings.temperature_c.reshape(shape)[settled].astype(np.float64),
            health=plant.truth().health.reshape(-1).astype(np.float64),
            cut_off_v=cut_off_v,
        )

    @property
    def reaches(self) -> npt.NDArray[np.bool_]:
        """Whether blocks (n,) reach the cut-off voltage."""
        return np.asarray(self.voltage_v.min(axis=0) < self.cut_off_v)

    def of_block(self, name: str, block: int) -> BenchRun:
        """Return the recording of a block up to its cut-off voltage."""
        stop = int(np.argmax(self.voltage_v[:, block] < self.cut_off_v)) + 1
        return BenchRun(
            name=name,
            time_s=EVERY_S * np.arange(stop, dtype=np.float64),
            current_a=self.current_a[:stop],
            voltage_v=self.voltage_v[:stop, block],
            temperature_c=self.temperature_c[:stop, block],
        )
