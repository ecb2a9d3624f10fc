"""A small real model and a simulated fleet whose life falls with heat and rising resistance."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import catboost
import numpy as np

from battery_contracts.ml import FeatureNorm, RulBatchRequest
from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.features.definition import FEATURES
from battery_ml.features.history import DailyHistory
from battery_ml.models.hazard import PERIOD_EDGES_DAYS
from battery_ml.registry.manifest import Levels, ModelManifest
from battery_ml.registry.store import Registry
from battery_ml.training.fits.hazard import fit_hazard

DAYS = 800
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)


def fleet(count: int, seed: int, days: int = DAYS) -> DailyHistory:
    rng = np.random.default_rng(seed)
    heat = rng.uniform(22.0, 34.0, count)
    rise = rng.uniform(0.0, 0.3, count)
    shape = (count, days)
    elapsed = np.linspace(0.0, 1.0, days)[None, :]
    return DailyHistory(
        battery_ids=tuple(f"B{number:05}" for number in range(count)),
        string_ids=tuple(f"S{number // 24:04}" for number in range(count)),
        days={
            "temperature_mean_c": heat[:, None] + rng.normal(0.0, 1.0, shape),
            "hours_above_30c": np.clip((heat[:, None] - 24.0) * 2.0 + rng.normal(0.0, 1.0, shape), 0.0, 24.0),
            "resistance_25c_mohm": 4.0 * (1.0 + rise[:, None] * elapsed) + rng.normal(0.0, 0.02, shape),
            "voltage_deviation_v": rng.normal(0.0, 0.03, shape),
            "float_current_ma": rng.uniform(50.0, 200.0, shape),
            "discharge_count": (rng.random(shape) < 0.02).astype(float),
            "discharge_ah": np.where(np.arange(days) % 300 == 40, 20.0, 0.0) * np.ones(shape),
            "discharge_s": np.where(np.arange(days) % 300 == 40, rng.uniform(1500.0, 2500.0, count)[:, None], 0.0),
            "discharge_min_v": np.where(np.arange(days) % 300 == 40, 12.2, np.nan) - 0.5 * rise[:, None],
            "string_spread_v": rng.uniform(0.05, 0.1, shape),
            "temperature_max_c": heat[:, None] + rng.uniform(1.0, 3.0, shape),
            "temperature_min_c": heat[:, None] - rng.uniform(1.0, 3.0, shape),
            "temperature_rise_k": rng.normal(1.0, 0.5, shape),
            "voltage_mean_v": rng.normal(13.6, 0.03, shape),
        },
        age_days=rng.uniform(900.0, 2500.0, count),
        rated_ah=np.full(count, 120.0),
        design_life_years=np.full(count, 10.0),
        baseline_resistance_mohm=np.full(count, 4.0),
    )


def life_days(history: DailyHistory, seed: int) -> FloatArray:
    heat = history.days["temperature_mean_c"].mean(axis=1)
    resistance = history.days["resistance_25c_mohm"]
    rise = resistance[:, -30:].mean(axis=1) / resistance[:, :30].mean(axis=1) - 1.0
    middle = 2600.0 * 2.0 ** (-(heat - 25.0) / 10.0) - 0.4 * history.age_days - 2000.0 * rise
    noise = np.random.default_rng(seed).normal(0.0, 120.0, len(middle))
    days: FloatArray = np.clip(middle + noise, 5.0, None)
    return days


EDGES_DAYS = np.array(PERIOD_EDGES_DAYS)


def snapshots_of(history: DailyHistory, days: FloatArray, *, follow_up_days: float = 1e5) -> Snapshots:
    """Return a snapshot of each battery, whose life ends after so many days unless that is after the follow-up."""
    count = len(days)
    return Snapshots(
        features=FEATURES.compute(history).astype(np.float32),
        battery_slot=np.arange(count),
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=np.minimum(days, follow_up_days),
        is_censored=days > follow_up_days,
        follow_up_days=np.full(count, follow_up_days),
    )


def train(history: DailyHistory, days: FloatArray, trees: int = 80, names: tuple[str, ...] = FEATURES.names) -> bytes:
    """Train a hazard model on the lives of a fleet; return its file."""
    lives = snapshots_of(history, days)
    return fit_hazard(lives, lives, names, EDGES_DAYS, seed=1, trees=trees).files()["model.cbm"]


def manifest_of(version: str, content: bytes, history: DailyHistory, **change: Any) -> ModelManifest:
    features = FEATURES.compute(history)
    p5, median, p95 = np.nanpercentile(features, [5, 50, 95], axis=0)
    deciles = np.nanpercentile(features, range(10, 100, 10), axis=0)
    known = np.isfinite(features).mean(axis=0)
    facts: dict[str, Any] = {
        "version": version,
        "created_at": datetime(2026, 11, int(version[1:]), tzinfo=UTC),
        "kind": "hazard",
        "edges_days": EDGES_DAYS.tolist(),
        "features": [
            FeatureNorm(
                name=name,
                median=median[index],
                p5=p5[index],
                p95=p95[index],
                known=known[index],
                deciles=deciles[:, index].tolist(),
            )
            for index, name in enumerate(FEATURES.names)
        ],
        "levels": Levels(p10=0.09, p50=0.5, p90=0.92),
        "data_sha256": "0" * 64,
        "split": "by string",
        "seed": 1,
        "metrics": {"mae_days": 100.0},
        "library_versions": {"catboost": catboost.__version__},
        "files": {"model.cbm": sha256(content).hexdigest()},
    }
    return ModelManifest(**facts | change)


def fill(folder: Path, versions: tuple[str, ...]) -> Registry:
    history = fleet(480, seed=1)
    content = train(history, life_days(history, seed=2))
    registry = Registry(str(folder))
    for version in versions:
        registry.publish(manifest_of(version, content, history), {"model.cbm": content})
    return registry


def batch_of(history: DailyHistory) -> RulBatchRequest:
    return RulBatchRequest(
        as_of=AS_OF,
        battery_id=list(history.battery_ids),
        string_id=list(history.string_ids),
        age_days=history.age_days.tolist(),
        rated_ah=history.rated_ah.tolist(),
        design_life_years=history.design_life_years.tolist(),
        baseline_resistance_mohm=history.baseline_resistance_mohm.tolist(),
        days=next(iter(history.days.values())).shape[1],
        daily={name: values.astype("<f4").tobytes() for name, values in history.days.items()},
    )
