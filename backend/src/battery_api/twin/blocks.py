"""What is believed of the blocks of a string, as the beginning of a simulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from battery_api.fleet.ohmic import drift_pct
from battery_api.fleet.status import stale_after_s
from battery_contracts.twin_analysis import BlockState

Row = Mapping[Any, Any]
CUT_OFF_V_PER_CELL: Final = 1.75
_USUAL_C: Final = 25.0
_ESTIMATES: Final = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct")


@dataclass(frozen=True, slots=True)
class StringBlocks:
    """The blocks of a string; ``assumed`` names those of which nothing present is known."""

    blocks: list[BlockState]
    assumed: list[str]
    rated_ah: float
    cut_off_v: float
    oldest_reading_at: datetime


def blocks_of(rows: Sequence[Row], now: datetime) -> StringBlocks | None:
    """Return the blocks of a string, or None if fewer than half of them have a present estimate.

    An unknown block is taken as weak and as uncertain as the worst of the known ones: it ends the string no later.
    """
    known = [row for row in rows if _is_known(row, now)]
    if 2 * len(known) < len(rows) or not known:
        return None
    worst = {
        "soc_pct": min(row["soc_pct"] for row in known),
        "soc_sd_pct": max(row["soc_sd_pct"] for row in known),
        "soh_pct": min(row["soh_pct"] for row in known),
        "soh_sd_pct": max(row["soh_sd_pct"] for row in known),
        "ratio": max(_ratio(row) for row in known),
    }
    codes = {row["code"] for row in known}
    return StringBlocks(
        blocks=[_state(row, worst, known=row["code"] in codes) for row in rows],
        assumed=[row["code"] for row in rows if row["code"] not in codes],
        rated_ah=min(row["rated_capacity_ah"] for row in rows),
        cut_off_v=CUT_OFF_V_PER_CELL * max(row["cell_count"] for row in rows),
        oldest_reading_at=min(row["time"] for row in known),
    )


def drift_of(row: Row) -> float | None:
    """Return how far a block's newest ohmic value lies above its own baseline, both at 25 °C, or None."""
    names = (
        "internal_resistance_mohm",
        "resistance_temperature_c",
        "baseline_resistance_mohm",
        "baseline_temperature_c",
    )
    values = [row[name] for name in names]
    if any(value is None for value in values):
        return None
    drift = float(drift_pct(*(np.array([value], np.float64) for value in values))[0])
    return drift if np.isfinite(drift) else None


def _is_known(row: Row, now: datetime) -> bool:
    if row["time"] is None or now - row["time"] > timedelta(seconds=stale_after_s(row["reporting_interval_s"])):
        return False
    # A block without any capacity is a dead one, which no model of a working block speaks for.
    return all(row[name] is not None for name in _ESTIMATES) and row["soh_pct"] > 0


def _state(row: Row, worst: Mapping[str, float], *, known: bool) -> BlockState:
    values: Mapping[Any, Any] = row if known else worst
    temperature_c = row["temperature_c"]
    return BlockState(
        battery_id=row["code"],
        temperature_c=_USUAL_C if temperature_c is None else float(np.clip(temperature_c, -40.0, 90.0)),
        resistance_ratio=max(_ratio(row), 1.0 if known else worst["ratio"]),
        **{name: values[name] for name in _ESTIMATES},
    )


def _ratio(row: Row) -> float:
    drift = drift_of(row)
    # A reading below the baseline is no promise of a better block.
    return 1.0 if drift is None else float(np.clip(1.0 + drift / 100.0, 1.0, 20.0))
