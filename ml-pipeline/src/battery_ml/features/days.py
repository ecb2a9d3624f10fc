"""Daily columns of the batteries that are installed now, and quantities that several features share."""

from functools import cached_property
from typing import Final

import numpy as np

from battery_ml.arrays import FloatArray, IntArray
from battery_ml.features.evidence import OWN_COLUMNS, is_before_installation, is_frozen, width_of
from battery_ml.features.history import DailyHistory
from battery_ml.features.windows import median_of_string

BOLTZMANN_EV: Final = 8.617e-5
"""Boltzmann constant in eV/K."""
ACTIVATION_EV: Final = 0.60
"""Of grid corrosion and dry-out in VRLA: life halves per 9 to 10 K; makers' rules give 0.50 to 0.68 eV."""
REFERENCE_K: Final = 298.15
DAYS_PER_YEAR: Final = 365.25
EVIDENCE_DAYS: Final = 400
"""Long enough to contain a yearly test that is a month late."""
HISTORY_DAYS: Final = 2 * EVIDENCE_DAYS
"""How far features look back: two yearly tests."""
SAME_AGE_DAYS: Final = 90.0
MIN_DEPTH: Final = 0.03
"""Share of rated capacity; below it the voltage under load is noise."""


class Days:
    """Columns (batteries, days) of a history, oldest first, without what is no evidence of the battery.

    That is every day before it was installed, and of its own sensors the days on which nothing moved.
    """

    def __init__(self, history: DailyHistory) -> None:
        self.history = history
        self._width = width_of(history)
        self._is_before = is_before_installation(history)
        self._is_no_own = self._is_before | is_frozen(history)
        _, self.string = np.unique(np.asarray(history.string_ids), return_inverse=True)
        self._masked: dict[str, FloatArray] = {}
        self._deepest_days: dict[int, IntArray] = {}

    def column(self, name: str) -> FloatArray:
        """Return a column (batteries, days); all NaN if the history does not hold it."""
        if name not in self._masked:
            values = self.history.days.get(name)
            shape = (len(self.history.battery_ids), self._width)
            is_none = self._is_no_own if name in OWN_COLUMNS else self._is_before
            self._masked[name] = np.full(shape, np.nan) if values is None else np.where(is_none, np.nan, values)
        return self._masked[name]

    @cached_property
    def design_days(self) -> FloatArray:
        """Design life in days, (batteries,); NaN where it is not positive."""
        return np.where(self.history.design_life_years > 0.0, self.history.design_life_years, np.nan) * DAYS_PER_YEAR

    @cached_property
    def acceleration(self) -> FloatArray:
        """Ageing rate relative to 25 °C on each day by Arrhenius' law, (batteries, days)."""
        kelvin = self.column("temperature_mean_c") + 273.15
        return np.exp(ACTIVATION_EV / BOLTZMANN_EV * (1.0 / REFERENCE_K - 1.0 / kelvin))

    @cached_property
    def resistance_ratio(self) -> FloatArray:
        """Resistance over the battery's own baseline, both at 25 °C, (batteries, days)."""
        baseline = self.history.baseline_resistance_mohm
        return self.column("resistance_25c_mohm") / np.where(baseline > 0.0, baseline, np.nan)[:, None]

    def on_deepest(self, name: str, years_ago: int = 0) -> FloatArray:
        """Return a column's value (batteries,) on the day of a year's deepest discharge; NaN if there was none."""
        day = self._deepest(years_ago)
        values = self.column(name)[np.arange(len(self.string)), np.maximum(day, 0)]
        return np.where(day >= 0, values, np.nan)

    @cached_property
    def deepest_days_ago(self) -> FloatArray:
        """Days (batteries,) since the deepest discharge of the last `EVIDENCE_DAYS`; NaN if there was none."""
        day = self._deepest(0)
        return np.where(day >= 0, self._width - 1.0 - day, np.nan)

    def _deepest(self, years_ago: int) -> IntArray:
        """Return the day (batteries,) of the deepest discharge of each battery's string; -1 if there was none."""
        if years_ago in self._deepest_days:
            return self._deepest_days[years_ago]
        until = max(self._width - years_ago * EVIDENCE_DAYS, 0)
        window = slice(max(until - EVIDENCE_DAYS, 0), until)
        discharged_ah = np.nan_to_num(self.column("discharge_ah")[:, window])
        lowest_v = self.column("discharge_min_v")[:, window]
        # A string is discharged as a whole: one faulty channel must not choose the day.
        by_string = np.zeros((self.string.max(initial=-1) + 1, max(discharged_ah.shape[1], 1)))
        np.maximum.at(
            by_string[:, : discharged_ah.shape[1]], self.string, np.where(np.isfinite(lowest_v), discharged_ah, 0.0)
        )
        depth = by_string.max(axis=1)[self.string] / self.history.rated_ah
        day = np.where(depth >= MIN_DEPTH, by_string.argmax(axis=1)[self.string] + window.start, -1)
        self._deepest_days[years_ago] = day
        return day

    def median(self, values: FloatArray) -> FloatArray:
        """Return the median (batteries,) of each battery's string; NaN for fewer than three finite values."""
        return median_of_string(values, self.string)

    @cached_property
    def younger_in_string(self) -> FloatArray:
        """Share (batteries,) of a battery's string that is younger: positions replaced since it was installed."""
        age, count = self.history.age_days, len(self.string)
        share = np.zeros(count)
        for string in range(self.string.max(initial=-1) + 1):
            rows = np.flatnonzero(self.string == string)
            younger = age[rows][None, :] < age[rows][:, None] - SAME_AGE_DAYS
            share[rows] = younger.sum(axis=1) / max(np.isfinite(age[rows]).sum(), 1)
        return np.where(np.isfinite(age), share, np.nan)
