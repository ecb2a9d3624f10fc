"""Scores of survival curves at horizons: discrimination, Brier score, calibration, and the lists that people act on.

All lives are seen to their end, so that nothing is weighted. Intervals are bootstrapped over batteries: the snapshots
of one battery say the same thing many times.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from battery_ml.arrays import BoolArray, FloatArray, IntArray

HORIZONS_DAYS: Final = (90, 180, 365)
SOON_DAYS: Final = 90
SAFE_DAYS: Final = 365
SAFE_PROBABILITY: Final = 0.05
"""A battery is listed as safe for twelve months if it fails in them with at most this probability."""
_BINS: Final = 10
_RESAMPLES: Final = 200
_PAIRS: Final = 400_000


@dataclass(frozen=True, slots=True)
class WithInterval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HorizonScore:
    """How well failures within a horizon are foreseen."""

    auc: WithInterval
    """Probability that a battery that fails has the higher risk."""
    brier: WithInterval
    brier_of_base_rate: float
    """Of a forecast that gives everybody the share that fails."""
    expected_calibration_error: WithInterval
    """Mean distance between forecast and share in ten equally large groups of rising forecast."""
    forecast_share: float
    failed_share: float


@dataclass(frozen=True, slots=True)
class ListScore:
    """A list of batteries against what became of them; ``listed_share`` is its share of all snapshots."""

    listed_share: float
    precision: WithInterval
    """Share of the listed that failed in time."""
    recall: WithInterval
    """Share of those that failed in time that were listed."""


@dataclass(frozen=True, slots=True)
class SafeList:
    """Batteries promised to survive twelve months: the failures promised and those that came."""

    listed_share: float
    promised_share: float
    failed_share: WithInterval


@dataclass(frozen=True, slots=True)
class SurvivalScores:
    """All scores of one model on one set of snapshots."""

    concordance: float
    """Harrell's C of the median on pairs of snapshots."""
    horizons: Mapping[int, HorizonScore]
    soon_list: ListScore
    safe_list: SafeList
    pit: tuple[float, ...]
    """Share of the lives in each tenth of their own predicted distribution; 0.1 each if the model is right."""

    def as_dict(self) -> dict[str, Any]:
        """Return the scores by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model says of snapshots (n,): risks within the horizons (n, horizons), P10 and median in days."""

    risks: FloatArray
    p10_days: FloatArray
    p50_days: FloatArray
    reached: FloatArray
    """Probability of failing until the day on which the life did end, (n,)."""


def scores_of(forecast: Forecast, days_to_end: FloatArray, battery: IntArray, seed: int = 0) -> SurvivalScores:
    """Score a forecast against lives that ended ``days_to_end`` (n,) later; ``battery`` (n,) numbers them."""
    resample = _Resampling(battery, seed)
    horizons = {}
    for column, days in enumerate(HORIZONS_DAYS):
        horizons[days] = _horizon(forecast.risks[:, column], days_to_end <= days, resample)
    risk_in_year = forecast.risks[:, HORIZONS_DAYS.index(SAFE_DAYS)]
    safe = risk_in_year <= SAFE_PROBABILITY
    soon = forecast.p10_days < SOON_DAYS
    failed_soon, failed_in_year = days_to_end <= SOON_DAYS, days_to_end <= SAFE_DAYS
    edges = np.linspace(0.0, 1.0, _BINS + 1)[1:-1]
    return SurvivalScores(
        concordance=_concordance(forecast.p50_days, days_to_end, seed),
        horizons=horizons,
        soon_list=ListScore(
            float(soon.mean()),
            resample.share(soon & failed_soon, soon),
            resample.share(soon & failed_soon, failed_soon),
        ),
        safe_list=SafeList(
            float(safe.mean()),
            float(risk_in_year[safe].mean()) if safe.any() else 0.0,
            resample.share(safe & failed_in_year, safe),
        ),
        pit=tuple(np.bincount(np.searchsorted(edges, forecast.reached), minlength=_BINS) / max(len(days_to_end), 1)),
    )


class _Resampling:
    """Bootstrap over batteries: sums per battery are drawn with replacement."""

    def __init__(self, battery: IntArray, seed: int) -> None:
        _, self._slot = np.unique(battery, return_inverse=True)
        self._count = int(self._slot.max(initial=-1)) + 1
        rng = np.random.default_rng(seed)
        times = rng.multinomial(self._count, np.full(self._count, 1.0 / self._count), size=_RESAMPLES)
        self._times = times.astype(np.float64)

    def statistic(self, columns: FloatArray, of: Callable[[FloatArray], FloatArray]) -> WithInterval:
        """Return a statistic of column sums; ``of`` maps sums (m, columns) to figures (m,)."""
        sums = np.stack([np.bincount(self._slot, column, self._count) for column in columns.T], axis=1)
        value = float(of(columns.sum(axis=0)[None, :])[0])
        low, high = np.nanquantile(of(self._times @ sums), [0.025, 0.975])
        return WithInterval(value, float(low), float(high))

    def share(self, marked: BoolArray, among: BoolArray) -> WithInterval:
        """Return the share of those marked among others, NaN if there are none."""
        columns = np.column_stack([marked, among]).astype(np.float64)
        if not among.any():
            return WithInterval(float("nan"), float("nan"), float("nan"))
        return self.statistic(columns, lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1e-9))


def _horizon(risk: FloatArray, failed: BoolArray, resample: _Resampling) -> HorizonScore:
    error = (risk - failed) ** 2
    mean = np.column_stack([error, np.ones(len(error))])
    rate = float(failed.mean())
    order = np.argsort(risk, kind="stable")
    group = np.empty(len(risk), np.int64)
    group[order] = np.arange(len(risk)) * _BINS // max(len(risk), 1)
    by_group = np.zeros((len(risk), 2 * _BINS))
    by_group[np.arange(len(risk)), group] = risk - failed
    by_group[np.arange(len(risk)), _BINS + group] = 1.0

    def calibration_error(sums: FloatArray) -> FloatArray:
        result: FloatArray = np.abs(sums[:, :_BINS]).sum(axis=1) / np.maximum(sums[:, _BINS:].sum(axis=1), 1e-9)
        return result

    return HorizonScore(
        auc=_auc(risk, failed, resample),
        brier=resample.statistic(mean, lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1e-9)),
        brier_of_base_rate=rate * (1.0 - rate),
        expected_calibration_error=resample.statistic(by_group, calibration_error),
        forecast_share=float(risk.mean()),
        failed_share=rate,
    )


def _auc(risk: FloatArray, failed: BoolArray, resample: _Resampling) -> WithInterval:
    """Return the area under the curve: the mean rank of each failure among the survivors (cumulative and dynamic)."""
    survivors = np.sort(risk[~failed])
    if not len(survivors) or not failed.any():
        return WithInterval(float("nan"), float("nan"), float("nan"))
    below = np.searchsorted(survivors, risk, side="left") + np.searchsorted(survivors, risk, side="right")
    rank = np.where(failed, 0.5 * below / len(survivors), 0.0)
    return resample.statistic(
        np.column_stack([rank, failed.astype(np.float64)]), lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1e-9)
    )


def _concordance(predicted: FloatArray, actual: FloatArray, seed: int) -> float:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(actual), (2, _PAIRS))
    differ = actual[first] != actual[second]
    first, second = first[differ], second[differ]
    agrees = (predicted[first] < predicted[second]) == (actual[first] < actual[second])
    return float(np.where(predicted[first] == predicted[second], 0.5, agrees).mean())
