"""What features are computed from: the days of the jars that stand now, by column, and what several features share."""

from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_ml.features.history import DailyHistory, FloatArray
from battery_ml.features.windows import median_of_string

BOLTZMANN_EV: Final = 8.617e-5
ACTIVATION_EV: Final = 0.60
"""Of grid corrosion and dry-out in VRLA: life halves for 9 to 10 K; makers' rules give 0.50 to 0.68 eV."""
REFERENCE_K: Final = 298.15
DAYS_A_YEAR: Final = 365.25
EVIDENCE_DAYS: Final = 400
"""A yearly test is in it, with a month of delay."""
NEEDED_DAYS: Final = 2 * EVIDENCE_DAYS
"""How far features look back: two yearly tests."""
SAME_AGE_DAYS: Final = 90.0
LEAST_DEPTH: Final = 0.03
"""Of rated capacity: what a shallower discharge shows of a block is noise."""


class Days:
    """Columns (batteries, days) of a history, oldest first, with the days before a jar came taken away."""

    def __init__(self, history: DailyHistory) -> None:
        self.history = history
        self._width = next((values.shape[1] for values in history.days.values()), 1)
        ago = np.arange(self._width)[::-1]
        # Another jar stood there: what it showed says nothing of this one. An unknown age takes nothing away.
        self._before = ago[None, :] > history.age_days[:, None]
        _, self.string = np.unique(np.asarray(history.string_ids), return_inverse=True)
        self._masked: dict[str, FloatArray] = {}
        self._deepest_days: dict[int, npt.NDArray[np.int64]] = {}

    def of(self, column: str) -> FloatArray:
        """Return a column; all unknown if the history does not hold it."""
        if column not in self._masked:
            given = self.history.days.get(column)
            shape = (len(self.history.battery_ids), self._width)
            self._masked[column] = np.full(shape, np.nan) if given is None else np.where(self._before, np.nan, given)
        return self._masked[column]

    @cached_property
    def design_days(self) -> FloatArray:
        """Life by design in days."""
        return np.where(self.history.design_life_years > 0.0, self.history.design_life_years, np.nan) * DAYS_A_YEAR

    @cached_property
    def acceleration(self) -> FloatArray:
        """How much faster than at 25 °C each day ages a block, (batteries, days)."""
        kelvin = self.of("temperature_mean_c") + 273.15
        return np.exp(ACTIVATION_EV / BOLTZMANN_EV * (1.0 / REFERENCE_K - 1.0 / kelvin))

    @cached_property
    def resistance_ratio(self) -> FloatArray:
        """Resistance over the jar's own baseline, both at 25 °C, (batteries, days)."""
        baseline = self.history.baseline_resistance_mohm
        return self.of("resistance_25c_mohm") / np.where(baseline > 0.0, baseline, np.nan)[:, None]

    def on_deepest(self, column: str, years_ago: int = 0) -> FloatArray:
        """Return a column's value (batteries,) on the day of the deepest discharge of a year; NaN if there was none."""
        day = self._deepest(years_ago)
        values = self.of(column)[np.arange(len(self.string)), np.maximum(day, 0)]
        return np.where(day >= 0, values, np.nan)

    def _deepest(self, years_ago: int) -> npt.NDArray[np.int64]:
        """Return the day (batteries,) of the deepest discharge of a battery's string; -1 if there was none."""
        if years_ago in self._deepest_days:
            return self._deepest_days[years_ago]
        until = max(self._width - years_ago * EVIDENCE_DAYS, 0)
        window = slice(max(until - EVIDENCE_DAYS, 0), until)
        taken = np.nan_to_num(self.of("discharge_ah")[:, window])
        lowest = self.of("discharge_min_v")[:, window]
        # A string is emptied as one: one faulty channel must not name the day.
        by_string = np.zeros((self.string.max(initial=-1) + 1, max(taken.shape[1], 1)))
        np.maximum.at(by_string[:, : taken.shape[1]], self.string, np.where(np.isfinite(lowest), taken, 0.0))
        depth = by_string.max(axis=1)[self.string] / self.history.rated_ah
        day = np.where(depth >= LEAST_DEPTH, by_string.argmax(axis=1)[self.string] + window.start, -1)
        self._deepest_days[years_ago] = day
        return day

    def median(self, values: FloatArray) -> FloatArray:
        """Return the median (batteries,) of what is known in each battery's string; unknown if that are under three."""
        return median_of_string(values, self.string)

    @cached_property
    def younger_in_string(self) -> FloatArray:
        """Share (batteries,) of its string that came later than a battery: those that stood there before have gone."""
        age, count = self.history.age_days, len(self.string)
        share = np.zeros(count)
        for number in range(self.string.max(initial=-1) + 1):
            rows = np.flatnonzero(self.string == number)
            younger = age[rows][None, :] < age[rows][:, None] - SAME_AGE_DAYS
            share[rows] = younger.sum(axis=1) / max(np.isfinite(age[rows]).sum(), 1)
        return np.where(np.isfinite(age), share, np.nan)
