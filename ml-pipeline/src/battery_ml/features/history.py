"""Days of many batteries as arrays: the only input of the features, from files or from the gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.ml import DAILY_COLUMNS

FloatArray = npt.NDArray[np.float64]

TRUTH_COLUMNS: Final = frozenset({"soc_pct", "soh_pct", "capacity_ah", "mechanism", "days_to_end", "is_censored"})
"""What no monitor knows; anything that begins with ``truth`` is refused as well."""


class TruthRefused(ValueError):
    """A column holds what only the generator of the data, or the future, can know."""


class UnknownColumn(ValueError):
    """A column is not part of a daily history."""


@dataclass(frozen=True, slots=True)
class DailyHistory:
    """Days (columns, oldest first) of batteries (rows); NaN where nothing was read.

    Parameters
    ----------
    days
        By name of column, each (batteries, days); a column that is away is unknown on every day.
    age_days
        Of each battery on the last day.
    baseline_resistance_mohm
        Of each jar when it was new, at 25 °C; NaN where nobody measured it.
    """

    battery_ids: tuple[str, ...]
    string_ids: tuple[str, ...]
    days: Mapping[str, FloatArray]
    age_days: FloatArray
    rated_ah: FloatArray
    design_life_years: FloatArray
    baseline_resistance_mohm: FloatArray

    def __post_init__(self) -> None:
        """Refuse truth, unknown columns and shapes that do not fit."""
        require_columns(tuple(self.days))
        count = len(self.battery_ids)
        widths = {values.shape[1:] for values in self.days.values()}
        lengths = {len(self.string_ids), *(len(values) for values in self.days.values())}
        lengths |= {
            len(self.age_days),
            len(self.rated_ah),
            len(self.design_life_years),
            len(self.baseline_resistance_mohm),
        }
        if lengths != {count} or len(widths) > 1 or any(len(width) != 1 for width in widths):
            raise ValueError(f"a history of {count} batteries has arrays of other shapes: {sorted(lengths)}, {widths}")


def require_columns(names: Sequence[str]) -> None:
    """Refuse columns that a daily history must not or does not hold.

    Raises
    ------
    TruthRefused
        A column is truth.
    UnknownColumn
        A column has no meaning here.
    """
    truth = sorted(name for name in names if name in TRUTH_COLUMNS or name.startswith("truth"))
    if truth:
        raise TruthRefused(f"truth cannot be an input: {', '.join(truth)}")
    unknown = sorted(set(names) - set(DAILY_COLUMNS))
    if unknown:
        raise UnknownColumn(f"unknown columns: {', '.join(unknown)}")
