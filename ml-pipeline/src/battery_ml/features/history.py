"""Daily histories of many batteries as arrays: the only input of the features, from files or from the gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.arrays import FloatArray

TRUTH_COLUMNS: Final = frozenset({"soc_pct", "soh_pct", "capacity_ah", "mechanism", "days_to_end", "is_censored"})
"""Columns that no monitor measures; names that begin with ``truth`` are refused as well."""


class TruthRefused(ValueError):
    """A column holds what only the generator of the data, or the future, can know."""


class UnknownColumn(ValueError):
    """A column is not part of a daily history."""


@dataclass(frozen=True, slots=True)
class DailyHistory:
    """Daily values of batteries: one row per battery, one column per day, oldest first; NaN where nothing was read.

    Parameters
    ----------
    days
        Arrays (batteries, days) by column name; a column that is absent is unknown on every day.
    age_days
        Age of each battery at the end of the last day, (batteries,).
    rated_ah, design_life_years
        Nameplate of each battery, (batteries,).
    baseline_resistance_mohm
        Resistance of each battery when it was new, at 25 °C, (batteries,); NaN where it was not measured.

    Raises
    ------
    TruthRefused, UnknownColumn
        A column must not, or does not, belong to a daily history.
    ValueError
        The arrays differ in their shapes.
    """

    battery_ids: tuple[str, ...]
    string_ids: tuple[str, ...]
    days: Mapping[str, FloatArray]
    age_days: FloatArray
    rated_ah: FloatArray
    design_life_years: FloatArray
    baseline_resistance_mohm: FloatArray

    def __post_init__(self) -> None:
        """Refuse truth, unknown columns and shapes that do not match."""
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
    """Check that names are columns of a daily history.

    Raises
    ------
    TruthRefused
        A column is truth.
    UnknownColumn
        A column is not defined.
    """
    truth = sorted(name for name in names if name in TRUTH_COLUMNS or name.startswith("truth"))
    if truth:
        raise TruthRefused(f"truth cannot be an input: {', '.join(truth)}")
    unknown = sorted(set(names) - set(DAILY_COLUMNS))
    if unknown:
        raise UnknownColumn(f"unknown columns: {', '.join(unknown)}")
