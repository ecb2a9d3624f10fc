"""How far a prediction can be trusted: old, sparse or unfamiliar input widens its interval or withholds it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from battery_contracts.ml import FeatureNorm
from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.features.history import DailyHistory

FRESH_DAYS: Final = 3
STALE_DAYS: Final = 30
MIN_DAYS_READ: Final = 30
_MAX_UNFAMILIAR_SHARE = 1.0 / 3.0
_MAX_MISSING_SHARE = 0.5
_USUALLY_KNOWN_SHARE = 0.9
_WIDENING_PER_UNFAMILIAR = 0.25
_WIDENING_IF_ALL_MISSING = 1.0
_WIDENING_AT_STALE = 1.0


@dataclass(slots=True)
class Trust:
    """``widening`` multiplies both arms of the interval; ``withheld_because`` is None if there is a prediction."""

    widening: float = 1.0
    widened_because: list[str] = field(default_factory=list)
    withheld_because: str | None = None


@dataclass(frozen=True, slots=True)
class Norms:
    """Distribution of each feature in the training fleet, (features,) in the model's order."""

    names: Sequence[str]
    median: FloatArray
    p5: FloatArray
    p95: FloatArray
    known_share: FloatArray

    @classmethod
    def of(cls, norms: Sequence[FeatureNorm]) -> "Norms":
        """Collect them from a manifest."""
        return cls(
            names=[norm.name for norm in norms],
            median=np.array([norm.median for norm in norms]),
            p5=np.array([norm.p5 for norm in norms]),
            p95=np.array([norm.p95 for norm in norms]),
            known_share=np.array([norm.known for norm in norms]),
        )

    def missing(self, features: FloatArray) -> BoolArray:
        """Mark features (batteries, features) that are unknown here but known for most of the training fleet."""
        is_missing: BoolArray = ~np.isfinite(features) & (self.known_share >= _USUALLY_KNOWN_SHARE)
        return is_missing

    def unfamiliar(self, features: FloatArray) -> BoolArray:
        """Mark features (batteries, features) outside P5 to P95 of the training fleet by more than its width."""
        margin = np.maximum(self.p95 - self.p5, 1e-6 * np.maximum(np.abs(self.median), 1.0))
        is_outside: BoolArray = (features < self.p5 - margin) | (features > self.p95 + margin)
        return is_outside


def assess(history: DailyHistory, features: FloatArray, norms: Norms) -> list[Trust]:
    """Assess the input of each battery; ``features`` (batteries, features) are in the order of the norms."""
    is_read = _days_read(history)
    days_read = is_read.sum(axis=1)
    # Days since the last reading; the last column is the last whole day.
    days_old = np.where(days_read > 0, np.argmax(is_read[:, ::-1], axis=1), is_read.shape[1])
    is_unfamiliar = norms.unfamiliar(features)
    missing_share = norms.missing(features).mean(axis=1)
    return [
        _assess_one(
            int(days_old[row]),
            int(days_read[row]),
            _describe(norms, features[row], is_unfamiliar[row]),
            float(missing_share[row]),
            features.shape[1],
        )
        for row in range(len(features))
    ]


def _days_read(history: DailyHistory) -> BoolArray:
    """Mark days (batteries, days) with a reading of the battery itself; the string's readings are weaker evidence."""
    own = ("voltage_mean_v", "voltage_deviation_v", "temperature_mean_c", "resistance_25c_mohm")
    columns = [np.isfinite(history.days[name]) for name in own if name in history.days]
    if not columns:
        return np.zeros((len(history.battery_ids), 1), dtype=np.bool_)
    is_read: BoolArray = np.logical_or.reduce(columns)
    return is_read


def _describe(norms: Norms, values: FloatArray, is_unfamiliar: BoolArray) -> list[str]:
    return [
        f"{norms.names[index]} is {values[index]:.4g}; P5 to P95 of the training fleet is "
        f"{norms.p5[index]:.4g} to {norms.p95[index]:.4g}"
        for index in map(int, np.flatnonzero(is_unfamiliar))
    ]


def _assess_one(days_old: int, days_read: int, unfamiliar: list[str], missing_share: float, features: int) -> Trust:
    trust = Trust()
    if days_read == 0:
        trust.withheld_because = "the history holds no reading of the battery"
    elif days_old > STALE_DAYS:
        trust.withheld_because = f"the last reading is {days_old} days old; the limit is {STALE_DAYS}"
    elif days_read < MIN_DAYS_READ:
        trust.withheld_because = f"only {days_read} days have readings; {MIN_DAYS_READ} are needed"
    elif missing_share > _MAX_MISSING_SHARE:
        trust.withheld_because = f"{missing_share:.0%} of the model's inputs are unknown"
    elif len(unfamiliar) > _MAX_UNFAMILIAR_SHARE * features:
        trust.withheld_because = f"unlike the training fleet: {'; '.join(unfamiliar[:3])}"
    if trust.withheld_because is not None:
        return trust
    if days_old > FRESH_DAYS:
        trust.widening += _WIDENING_AT_STALE * days_old / STALE_DAYS
        trust.widened_because.append(f"the last reading is {days_old} days old")
    if missing_share > 0.0:
        trust.widening += _WIDENING_IF_ALL_MISSING * missing_share
        trust.widened_because.append(f"{missing_share:.0%} of the model's inputs are unknown")
    trust.widening += _WIDENING_PER_UNFAMILIAR * len(unfamiliar)
    trust.widened_because += unfamiliar
    return trust
