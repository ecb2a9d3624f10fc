"""Estimated state of the batteries of a string, as the start of a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np

from battery_api.fleet.estimates import reason_for_none
from battery_api.fleet.ohmic import drift_pct
from battery_api.fleet.status import stale_after_s
from battery_api.twin.runtime_repository import StringBatteryRow
from battery_contracts.enums import NoEstimateReason, ReadingQuality
from battery_contracts.twin_analysis import BlockState

CUT_OFF_V_PER_CELL: Final = 1.75
_DEFAULT_TEMPERATURE_C: Final = 25.0
UNKNOWN_SOC_SD_PCT: Final = 15.0
"""Least deviation of the charge of a block of which nothing is known; EJ: a shorted cell takes one sixth of it."""
UNKNOWN_SOH_SD_PCT: Final = 20.0
"""Least deviation of its capacity; EJ: as far as from a new block to one at its end of life, 80 % of rated."""


class OhmicRow(Protocol):
    """A row with the newest ohmic measurement of a battery and its baseline."""

    @property
    def internal_resistance_mohm(self) -> float | None:
        """Newest measurement."""
        ...

    @property
    def resistance_temperature_c(self) -> float | None:
        """Temperature of the newest measurement."""
        ...

    @property
    def baseline_resistance_mohm(self) -> float | None:
        """Baseline of the battery itself."""
        ...

    @property
    def baseline_temperature_c(self) -> float | None:
        """Temperature of the baseline."""
        ...


@dataclass(frozen=True, slots=True)
class StringBlocks:
    """The batteries of a string as blocks; ``unknown`` gives the reason for each without a present estimate."""

    blocks: list[BlockState]
    unknown: dict[str, NoEstimateReason]
    rated_ah: float
    cut_off_v: float
    oldest_reading_at: datetime


@dataclass(frozen=True, slots=True)
class _Estimates:
    """Estimates of one battery, with the resistance over its baseline."""

    soc_pct: float
    soc_sd_pct: float
    soh_pct: float
    soh_sd_pct: float
    resistance_ratio: float


def blocks_of(rows: Sequence[StringBatteryRow], now: datetime) -> StringBlocks | None:
    """Return the blocks of a string, or None if fewer than half of them have a present estimate.

    A battery without one counts as weak as the worst of the others, and it may be worse than all of them: what makes
    readings contradict the circuit, such as a shorted cell, is what nobody knows the estimate of. So its deviation is
    larger, which lowers the P10 of the string; it cannot raise the P90, since the others end the string then.
    """
    estimates = {row.code: _present_estimates(row, now) for row in rows}
    present = [found for found in estimates.values() if found is not None]
    if 2 * len(present) < len(rows) or not present:
        return None
    worst = _Estimates(
        soc_pct=min(item.soc_pct for item in present),
        soc_sd_pct=max(UNKNOWN_SOC_SD_PCT, *(item.soc_sd_pct for item in present)),
        soh_pct=min(item.soh_pct for item in present),
        soh_sd_pct=max(UNKNOWN_SOH_SD_PCT, *(item.soh_sd_pct for item in present)),
        resistance_ratio=max(item.resistance_ratio for item in present),
    )
    times = [row.time for row in rows if estimates[row.code] is not None and row.time is not None]
    return StringBlocks(
        blocks=[_state(row, estimates[row.code], worst) for row in rows],
        unknown=unknown_of(rows, now),
        rated_ah=min(row.rated_capacity_ah for row in rows),
        cut_off_v=CUT_OFF_V_PER_CELL * max(row.cell_count for row in rows),
        oldest_reading_at=min(times),
    )


def unknown_of(rows: Sequence[StringBatteryRow], now: datetime) -> dict[str, NoEstimateReason]:
    """Return, by code, why batteries have no present estimate of both charge and capacity."""
    return {row.code: _why_none(row, now) for row in rows if _present_estimates(row, now) is None}


def drift_of(row: OhmicRow) -> float | None:
    """Return how far a battery's newest resistance is above its own baseline in percent, both at 25 °C, or None."""
    values = (
        row.internal_resistance_mohm,
        row.resistance_temperature_c,
        row.baseline_resistance_mohm,
        row.baseline_temperature_c,
    )
    if any(value is None for value in values):
        return None
    drift = float(drift_pct(*(np.array([value], np.float64) for value in values))[0])
    return drift if np.isfinite(drift) else None


def _present_estimates(row: StringBatteryRow, now: datetime) -> _Estimates | None:
    if _is_stale(row, now):
        return None
    if row.soc_pct is None or row.soc_sd_pct is None or row.soh_pct is None or row.soh_sd_pct is None:
        return None
    if _is_dead(row):
        return None
    return _Estimates(row.soc_pct, row.soc_sd_pct, row.soh_pct, row.soh_sd_pct, _resistance_ratio(row))


def _why_none(row: StringBatteryRow, now: datetime) -> NoEstimateReason:
    quality = ReadingQuality(row.quality)
    if row.time is None or ReadingQuality.SENSOR_FAULT in quality:
        return reason_for_none(quality)
    if _is_stale(row, now):
        return NoEstimateReason.READING_TOO_OLD
    return NoEstimateReason.OUTSIDE_MODEL if _is_dead(row) else reason_for_none(quality)


def _is_stale(row: StringBatteryRow, now: datetime) -> bool:
    return row.time is None or now - row.time > timedelta(seconds=stale_after_s(row.reporting_interval_s))


def _is_dead(row: StringBatteryRow) -> bool:
    # Without any capacity a battery is dead, and no model of a working one describes it.
    return row.soh_pct is not None and row.soh_pct <= 0


def _state(row: StringBatteryRow, own: _Estimates | None, worst: _Estimates) -> BlockState:
    estimates = own or worst
    temperature_c = _DEFAULT_TEMPERATURE_C if row.temperature_c is None else row.temperature_c
    return BlockState(
        battery_id=row.code,
        soc_pct=estimates.soc_pct,
        soc_sd_pct=estimates.soc_sd_pct,
        soh_pct=estimates.soh_pct,
        soh_sd_pct=estimates.soh_sd_pct,
        temperature_c=float(np.clip(temperature_c, -40.0, 90.0)),
        resistance_ratio=max(_resistance_ratio(row), estimates.resistance_ratio),
    )


def _resistance_ratio(row: StringBatteryRow) -> float:
    drift = drift_of(row)
    # A resistance below the baseline does not make a battery better than its model.
    return 1.0 if drift is None else float(np.clip(1.0 + drift / 100.0, 1.0, 20.0))
