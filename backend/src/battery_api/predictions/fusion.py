"""Fuse two forecasts of remaining life: the ageing law of the digital twin and the model of the prediction service.

Each source weighs by how far it is trusted over the squared width that it states for the battery, in log days: a
narrow forecast says more. Fused quantiles are those of the weighted mixture of both distributions (linear opinion pool:
Stone, *Ann. Math. Stat.* 32, 1961): sources that contradict each other widen the interval by as much as they weigh.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
CONFLICT_PCT: Final = 30.0
"""Difference of the medians, in percent of the larger one, beyond which the sources contradict each other; EJ."""
LEAST_IN_CONFLICT: Final = 0.2
"""Least weight of a source that the other one contradicts; EJ: one of the two widths is wrong, and which is unknown."""
LEAST_OUTCOMES: Final = 10
"""Outcomes from which on errors replace the trust that was assumed; EJ: an sd of ten values is known to a quarter."""
_LEAST_WIDTH: Final = 0.05
"""Width in log days below which a forecast weighs no more, 5 %; EJ: no forecast of ageing is as sure as that."""
_LEAST_VARIANCE: Final = 1e-4
_LEVELS: Final = (0.1, 0.5, 0.9)
_SCALE: Final = float(np.log(9.0))
"""Log-odds of P90: what the logistic function takes to be 0.9."""
_LEAST_SIDE: Final = 1e-9
_HALVINGS: Final = 60
_OHMIC_WITHIN: Final = timedelta(days=30)
"""A monitor measures daily: without a value for so long, measuring is the cheapest test; EJ."""
_CAPACITY_WITHIN: Final = timedelta(days=400)
"""Capacity is tested once a year, IEEE 1188, with a month of delay."""


class RulSource(StrEnum):
    """What stands behind a prediction of remaining life."""

    FUSED = "fused"
    ML = "ml"
    TWIN = "twin"
    NONE = "none"


class ConflictAdvice(StrEnum):
    """The cheapest test that would settle which of two contradicting forecasts holds."""

    OHMIC_MEASUREMENT = "ohmic_measurement"
    PARTIAL_DISCHARGE_TEST = "partial_discharge_test"
    CAPACITY_TEST = "capacity_test"


class SourceTrust(NamedTuple):
    """How far each source is trusted before a battery is looked at; only the ratio counts."""

    twin: float = 0.6
    ml: float = 0.4


ASSUMED_TRUST: Final = SourceTrust()
"""EJ until there are outcomes: the law knows the physics of a design, the model only the lives that it was shown."""


@dataclass(frozen=True, slots=True)
class FusedDays:
    """Fused forecasts of ``n`` batteries.

    ``days`` (n, 3) has P10, P50 and P90, NaN in the rows without a source; ``twin_weight`` (n,) is NaN unless both
    speak, as is ``difference_pct`` (n,), that of the medians in percent of the larger one.
    """

    days: FloatArray
    source: list[RulSource]
    twin_weight: FloatArray
    is_conflict: BoolArray
    difference_pct: FloatArray


def fuse(twin_days: FloatArray, ml_days: FloatArray, trust: SourceTrust = ASSUMED_TRUST) -> FusedDays:
    """Fuse forecasts (n, 3), ordered P10, P50, P90 and at least 0; a row of NaN is a source that says nothing."""
    has_twin, has_ml = _speaks(twin_days), _speaks(ml_days)
    both = has_twin & has_ml
    difference = np.where(both, _difference_pct(twin_days[:, 1], ml_days[:, 1]), np.nan)
    is_conflict: BoolArray = both & (difference > CONFLICT_PCT)
    weight = np.where(both, _twin_weights(twin_days, ml_days, trust), np.nan)
    weight = np.where(is_conflict, np.clip(weight, LEAST_IN_CONFLICT, 1.0 - LEAST_IN_CONFLICT), weight)
    mixed = _mixture(twin_days, ml_days, weight)
    alone = np.where(has_twin[:, None], twin_days, np.where(has_ml[:, None], ml_days, np.nan))
    return FusedDays(
        days=np.where(both[:, None], mixed, alone),
        source=[_source(twin, ml) for twin, ml in zip(has_twin.tolist(), has_ml.tolist(), strict=True)],
        twin_weight=weight,
        is_conflict=is_conflict,
        difference_pct=difference,
    )


def longer_than(
    source: RulSource, fused: FloatArray, ml_days: FloatArray, follow_up_days: float | None
) -> float | None:
    """Return the fused days (3,) from which on quantiles are lower bounds, None if all are what they say.

    Where the model's quantile reaches the days for which its lives were followed, the true one lies beyond, and so does
    what is mixed from it.
    """
    if follow_up_days is None or source not in {RulSource.ML, RulSource.FUSED}:
        return None
    reached = ml_days >= follow_up_days
    return float(fused[int(np.argmax(reached))]) if reached.any() else None


def trust_of(twin_log_errors: FloatArray, ml_log_errors: FloatArray) -> SourceTrust:
    """Return the trust that outcomes give: the inverse mean square of the errors in log days, NaN where unknown.

    The assumed trust remains until both sources have enough outcomes: an assumption and a variance have no ratio.
    """
    twin = twin_log_errors[np.isfinite(twin_log_errors)]
    ml = ml_log_errors[np.isfinite(ml_log_errors)]
    if min(len(twin), len(ml)) < LEAST_OUTCOMES:
        return ASSUMED_TRUST
    inverse = [1.0 / max(float(np.mean(errors**2)), _LEAST_VARIANCE) for errors in (twin, ml)]
    return SourceTrust(inverse[0] / sum(inverse), inverse[1] / sum(inverse))


def advice_for(ohmic_age: timedelta | None, capacity_age: timedelta | None) -> ConflictAdvice:
    """Return the cheapest test that settles a conflict, by the age of what was measured; None is never."""
    if ohmic_age is None or ohmic_age > _OHMIC_WITHIN:
        return ConflictAdvice.OHMIC_MEASUREMENT
    if capacity_age is None or capacity_age > _CAPACITY_WITHIN:
        return ConflictAdvice.PARTIAL_DISCHARGE_TEST
    return ConflictAdvice.CAPACITY_TEST


def _speaks(days: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(days).all(axis=1), np.bool_)


def _twin_weights(twin_days: FloatArray, ml_days: FloatArray, trust: SourceTrust) -> FloatArray:
    # The ratio first: it does not change with the scale of the trust, nor overflow.
    ratio = (trust.ml / trust.twin) * (_width(twin_days) / _width(ml_days)) ** 2
    return np.asarray(1.0 / (1.0 + ratio))


def _width(days: FloatArray) -> FloatArray:
    width: FloatArray = np.log1p(days[:, 2]) - np.log1p(days[:, 0])
    return np.maximum(width, _LEAST_WIDTH)


def _mixture(twin_days: FloatArray, ml_days: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the quantiles (n, 3) of the mixture: at each level they lie between those of the sources."""
    low, high = np.minimum(twin_days, ml_days), np.maximum(twin_days, ml_days)
    twin, ml = np.log1p(twin_days), np.log1p(ml_days)
    columns = []
    for column, level in enumerate(_LEVELS):
        below, above = np.log1p(low[:, column]), np.log1p(high[:, column])
        for _ in range(_HALVINGS):
            middle = 0.5 * (below + above)
            is_short = weight * _probability(twin, middle) + (1.0 - weight) * _probability(ml, middle) < level
            below, above = np.where(is_short, middle, below), np.where(is_short, above, middle)
        columns.append(np.expm1(0.5 * (below + above)))
    # Rounding must not leave the span of the sources, nor swap levels of equal days.
    mixed: FloatArray = np.clip(np.maximum.accumulate(np.column_stack(columns), axis=1), low, high)
    return mixed


def _probability(log_quantiles: FloatArray, log_days: FloatArray) -> FloatArray:
    """Return the probability (n,) of an end before log days (n,): log-logistic through the quantiles (n, 3).

    Each side of the median has a width of its own.
    """
    low, middle, high = log_quantiles.T
    side = np.where(log_days > middle, high - middle, middle - low)
    odds = np.clip(_SCALE * (log_days - middle) / np.maximum(side, _LEAST_SIDE), -500.0, 500.0)
    probability: FloatArray = 1.0 / (1.0 + np.exp(-odds))
    return probability


def _difference_pct(one: FloatArray, other: FloatArray) -> FloatArray:
    larger = np.maximum(one, other)
    return np.where(larger > 0, 100.0 * np.abs(one - other) / np.where(larger > 0, larger, 1.0), 0.0)


def _source(has_twin: bool, has_ml: bool) -> RulSource:  # one fact per source
    if has_twin and has_ml:
        return RulSource.FUSED
    if has_twin:
        return RulSource.TWIN
    return RulSource.ML if has_ml else RulSource.NONE
