"""How far an answer may be trusted: old, thin or unfamiliar input widens it or withholds it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.ml import FeatureNorm
from battery_ml.features.history import DailyHistory, FloatArray

FRESH_DAYS: Final = 3
STALE_DAYS: Final = 30
NEEDED_DAYS: Final = 30
_MOST_UNFAMILIAR = 1.0 / 3.0
_MOST_UNKNOWN = 0.5
_MOSTLY_KNOWN = 0.9
_WIDER_PER_UNFAMILIAR = 0.25
_WIDER_IF_ALL_UNKNOWN = 1.0
_WIDER_AT_STALE = 1.0


@dataclass(slots=True)
class Trust:
    """``widening`` multiplies both arms of the interval; ``withheld_because`` is None when there is an answer."""

    widening: float = 1.0
    widened_because: list[str] = field(default_factory=list)
    withheld_because: str | None = None


@dataclass(frozen=True, slots=True)
class Norms:
    """What the training fleet showed of each feature, in the model's order."""

    names: Sequence[str]
    median: FloatArray
    p5: FloatArray
    p95: FloatArray
    known: FloatArray

    @classmethod
    def of(cls, norms: Sequence[FeatureNorm]) -> "Norms":
        """Read them from a manifest."""
        columns = {name: np.array([getattr(norm, name) for norm in norms]) for name in ("median", "p5", "p95", "known")}
        return cls([norm.name for norm in norms], **columns)

    def missing(self, features: FloatArray) -> npt.NDArray[np.bool_]:
        """Mark what is not known of a battery though it was of most that the model learnt from."""
        absent: npt.NDArray[np.bool_] = ~np.isfinite(features) & (self.known >= _MOSTLY_KNOWN)
        return absent

    def unfamiliar(self, features: FloatArray) -> npt.NDArray[np.bool_]:
        """Mark values further outside the training fleet's middle 90 % than that is wide."""
        margin = np.maximum(self.p95 - self.p5, 1e-6 * np.maximum(np.abs(self.median), 1.0))
        outside: npt.NDArray[np.bool_] = (features < self.p5 - margin) | (features > self.p95 + margin)
        return outside


def judge(history: DailyHistory, features: FloatArray, norms: Norms) -> list[Trust]:
    """Judge what each battery's answer stands on."""
    read = _days_read(history)
    days_read = read.sum(axis=1)
    # Days since the last one read; the last column is the last whole day.
    days_old = np.where(days_read > 0, np.argmax(read[:, ::-1], axis=1), read.shape[1])
    unfamiliar = norms.unfamiliar(features)
    unknown = norms.missing(features)
    return [
        _judge_one(int(old), int(count), _named(norms, row, strange), float(missing.mean()), len(row))
        for old, count, row, strange, missing in zip(days_old, days_read, features, unfamiliar, unknown, strict=True)
    ]


def _days_read(history: DailyHistory) -> npt.NDArray[np.bool_]:
    """Mark days on which something of the battery itself was read; what its whole string shares says less."""
    own = ("voltage_mean_v", "voltage_deviation_v", "temperature_mean_c", "resistance_25c_mohm")
    columns = [np.isfinite(history.days[name]) for name in own if name in history.days]
    if not columns:
        return np.zeros((len(history.battery_ids), 1), dtype=np.bool_)
    marked: npt.NDArray[np.bool_] = np.logical_or.reduce(columns)
    return marked


def _named(norms: Norms, row: FloatArray, strange: npt.NDArray[np.bool_]) -> list[str]:
    return [
        f"{norms.names[at]} is {row[at]:.4g}, the training fleet had {norms.p5[at]:.4g} to {norms.p95[at]:.4g}"
        for at in map(int, np.flatnonzero(strange))
    ]


def _judge_one(days_old: int, days_read: int, unfamiliar: list[str], unknown_share: float, features: int) -> Trust:
    trust = Trust()
    if days_read == 0:
        trust.withheld_because = "nothing was read in the days that were given"
    elif days_old > STALE_DAYS:
        trust.withheld_because = f"the last reading is {days_old} days old, at most {STALE_DAYS} are taken"
    elif days_read < NEEDED_DAYS:
        trust.withheld_because = f"only {days_read} days were read, {NEEDED_DAYS} are needed"
    elif unknown_share > _MOST_UNKNOWN:
        trust.withheld_because = f"{unknown_share:.0%} of what the model looks at is not known"
    elif len(unfamiliar) > _MOST_UNFAMILIAR * features:
        trust.withheld_because = f"unlike any battery that the model learnt from: {'; '.join(unfamiliar[:3])}"
    if trust.withheld_because is not None:
        return trust
    if days_old > FRESH_DAYS:
        trust.widening += _WIDER_AT_STALE * days_old / STALE_DAYS
        trust.widened_because.append(f"the last reading is {days_old} days old")
    if unknown_share > 0.0:
        trust.widening += _WIDER_IF_ALL_UNKNOWN * unknown_share
        trust.widened_because.append(f"{unknown_share:.0%} of what the model looks at is not known")
    trust.widening += _WIDER_PER_UNFAMILIAR * len(unfamiliar)
    trust.widened_because += unfamiliar
    return trust
