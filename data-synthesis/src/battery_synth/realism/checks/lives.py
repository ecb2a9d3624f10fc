"""Checks of lives run to failure: how far resistance follows capacity, and failures by age."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from battery_synth.realism.checks.result import RealismCheck, between
from battery_synth.realism.survival import SurvivalTimes, median_age_days, rate_per_year
from battery_synth.realism.tables import Population

_YEAR: Final = 365.25


def population_checks(sample: Population) -> Iterator[RealismCheck]:
    """Check how closely resistance follows capacity, over lives run to failure."""
    correlation = float(np.corrcoef(sample.growth, sample.health)[0, 1])
    source = "it bounds the capacity, it does not reveal it"
    yield between("correlation of resistance and capacity", -0.8, -0.5, correlation, source)
    worn, sound = sample.health < 0.8, sample.health > 0.9
    missed = float((sample.growth[worn] < 0.2).mean()) if worn.any() else float("nan")
    source = "sulfation does not show: 15 to 25 %, more or less by design (EJ)"
    yield between("share below 80 % capacity with R below +20 %", 0.15, 0.30, missed, source)
    alarms = float((sample.growth[sound] > 0.2).mean()) if sound.any() else float("nan")
    yield between("share above 90 % capacity with R above +20 %", 0.05, 0.13, alarms, "scatter 8 to 12 %")


def life_checks(lives: SurvivalTimes) -> Iterator[RealismCheck]:
    """Check the failure rate of batteries by age."""
    young = rate_per_year(lives, 0.0, 2.0 * _YEAR)
    source = "infant 0.5 to 1.5 %, random 0.2 to 0.4 %/yr"
    yield between("failures per year in the first two years", 0.002, 0.02, young, source)
    median_days = median_age_days(lives)
    late = rate_per_year(lives, median_days, median_days + 2.0 * _YEAR)
    yield between("failures per year beyond the median life", 0.10, 3.0, late, "wear-out, Weibull beta 3.5")
    yield between("median life", 3.0, 8.0, median_days / _YEAR, "expected in Thai rooms: 3.0 to 7.5 yr", unit=" yr")
