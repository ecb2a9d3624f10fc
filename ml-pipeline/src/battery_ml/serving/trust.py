"""How far a prediction can be trusted: old, sparse or unfamiliar input widens its interval or withholds it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from battery_contracts.ml import FeatureNorm
from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.features.evidence import is_before_installation, is_frozen
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
    deciles: Sequence[FloatArray]
    """The 10th to the 90th percentile, each (features,); none in a manifest without them."""

    @classmethod
    def of(cls, norms: Sequence[FeatureNorm]) -> "Norms":
        """Collect them from a manifest."""
        return cls(
            names=[norm.name for norm in norms],
            median=np.array([norm.median for norm in norms]),
            p5=np.array([norm.p5 for norm in norms]),
            p95=np.array([norm.p95 for norm in norms]),
            known_share=np.array([norm.known for norm in norms]),
            deciles=list(np.array([norm.deciles for norm in norms]).T),
        )

    def missing(self, features: FloatArray) -> BoolArray:
        """Mark features (batteries, features) that are unknown here but known for most of the training fleet."""
        is_missing: BoolArray = ~np.isfinite(features) & (self.known_share >= _USUALLY_KNOWN_SHARE)
        return is_missing

    def familiar(self) -> tuple[FloatArray, FloatArray]:
        """Return the bounds (features,) of familiar values: P5 to P95 of the fleet, and as much to each side."""
        margin = np.maximum(self.p95 - self.p5, 1e-6 * np.maximum(np.abs(self.median), 1.0))
        return self.p5 - margin, self.p95 + margin

    def plausible(self) -> "list[FloatArray]":
        """Return values (features,) that an unknown feature may have: the bounds of familiar ones, and deciles."""
        low, high = self.familiar()
        return [low, *self.deciles, high]

    def unfamiliar(self, features: FloatArray) -> BoolArray:
        """Mark features (batteries, features) that are outside the bounds of familiar ones."""
        low, high = self.familiar()
        is_outside: BoolArray = (features < low) | (features > high)
        return is_outside


def assess(history: DailyHistory, features: FloatArray, norms: Norms) -> list[Trust]:
    """Assess the input of each battery; ``features`` (batteries, features) are in the order of the norms."""
    is_reported, is_repeated = _days_reported(history), is_frozen(history)
    is_read = is_reported & ~is_repeated
    days_read = is_read.sum(axis=1)
    # Days since the last reading; the last column is the last whole day.
    days_old = np.where(days_read > 0, np.argmax(is_read[:, ::-1], axis=1), is_read.shape[1])
    repeated = (is_reported & is_repeated).sum(axis=1)
    is_unfamiliar = norms.unfamiliar(features)
    missing_share = norms.missing(features).mean(axis=1)
    return [
        _assess_one(
            _Input(
                int(days_old[row]),
                int(days_read[row]),
                int(repeated[row]),
                float(missing_share[row]),
                features.shape[1],
            ),
            _describe(norms, features[row], is_unfamiliar[row]),
        )
        for row in range(len(features))
    ]


class _Input(NamedTuple):
    """What there is to predict a battery from."""

    days_old: int
    days_read: int
    days_repeated: int
    missing_share: float
    features: int


def _days_reported(history: DailyHistory) -> BoolArray:
    """Mark days (batteries, days) with a value of the battery itself; the string's are weaker evidence.

    Those of another battery that was in the position before are none of its own.
    """
    own = ("voltage_mean_v", "voltage_deviation_v", "temperature_mean_c", "resistance_25c_mohm")
    columns = [np.isfinite(history.days[name]) for name in own if name in history.days]
    if not columns:
        return np.zeros((len(history.battery_ids), 1), dtype=np.bool_)
    is_reported: BoolArray = np.logical_or.reduce(columns) & ~is_before_installation(history)
    return is_reported


def _describe(norms: Norms, values: FloatArray, is_unfamiliar: BoolArray) -> list[str]:
    return [
        f"{norms.names[index]} is {values[index]:.4g}; P5 to P95 of the training fleet is "
        f"{norms.p5[index]:.4g} to {norms.p95[index]:.4g}"
        for index in map(int, np.flatnonzero(is_unfamiliar))
    ]


def _assess_one(given: _Input, unfamiliar: list[str]) -> Trust:
    trust = Trust(withheld_because=_why_withheld(given, unfamiliar))
    if trust.withheld_because is not None:
        return trust
    if given.days_old > FRESH_DAYS:
        trust.widening += _WIDENING_AT_STALE * given.days_old / STALE_DAYS
        trust.widened_because.append(f"the last reading is {given.days_old} days old{_repetition(given)}")
    if given.missing_share > 0.0:
        trust.widening += _WIDENING_IF_ALL_MISSING * given.missing_share
        trust.widened_because.append(f"{given.missing_share:.0%} of the model's inputs are unknown")
    trust.widening += _WIDENING_PER_UNFAMILIAR * len(unfamiliar)
    trust.widened_because += unfamiliar
    return trust


def _why_withheld(given: _Input, unfamiliar: list[str]) -> str | None:
    if given.days_read == 0:
        return f"the history holds no reading of the battery{_repetition(given)}"
    if given.days_old > STALE_DAYS:
        return f"the last reading is {given.days_old} days old{_repetition(given)}; the limit is {STALE_DAYS}"
    if given.days_read < MIN_DAYS_READ:
        return f"only {given.days_read} days have readings{_repetition(given)}; {MIN_DAYS_READ} are needed"
    if given.missing_share > _MAX_MISSING_SHARE:
        return f"{given.missing_share:.0%} of the model's inputs are unknown"
    if len(unfamiliar) > _MAX_UNFAMILIAR_SHARE * given.features:
        return f"unlike the training fleet: {'; '.join(unfamiliar[:3])}"
    return None


def _repetition(given: _Input) -> str:
    """Say how many days are left out because they repeat the one before."""
    return f" ({given.days_repeated} days repeat the one before and count as none)" if given.days_repeated else ""
