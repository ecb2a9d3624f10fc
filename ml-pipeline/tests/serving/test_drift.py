"""Drift against an independent formula and against distributions whose drift is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts.ml import DRIFT_LARGE, DRIFT_NOTABLE, MIN_DRIFT_BATTERIES, FeatureNorm
from battery_ml.arrays import FloatArray
from battery_ml.features.definition import FEATURES
from battery_ml.registry.store import Registry
from battery_ml.serving.drift import counts_in_tenths, drift_of
from battery_ml.serving.predictor import Predictor
from tests.support.tiny_model import fill, fleet

RNG = np.random.default_rng(7)
TRAINING = RNG.normal(50.0, 10.0, 20_000)


def deciles_of(values: FloatArray) -> FloatArray:
    return np.percentile(values, range(10, 100, 10))


def norm_of(values: FloatArray, name: str = "a") -> FeatureNorm:
    p5, median, p95 = np.percentile(values, (5, 50, 95))
    return FeatureNorm(name=name, median=median, p5=p5, p95=p95, deciles=deciles_of(values).tolist())


def psi(values: FloatArray, training: FloatArray = TRAINING) -> float:
    (drift,) = drift_of([norm_of(training)], values[:, None])
    assert drift.psi is not None
    return drift.psi


def test_it_is_the_textbook_formula() -> None:
    values = RNG.normal(55.0, 12.0, 4_000)
    counts, _ = np.histogram(values, [-np.inf, *deciles_of(TRAINING), np.inf])
    shares = counts / counts.sum()
    textbook = sum((share - 0.1) * np.log(share / 0.1) for share in shares)
    assert psi(values) == pytest.approx(textbook, rel=0.02)


def test_the_same_distribution_has_next_to_none_and_a_shifted_one_much() -> None:
    assert psi(TRAINING) < 1e-4
    assert psi(RNG.normal(50.0, 10.0, 1_944)) < 0.02
    assert DRIFT_NOTABLE < psi(RNG.normal(54.5, 10.0, 1_944)) < DRIFT_LARGE
    assert psi(RNG.normal(60.0, 10.0, 1_944)) > 2.0 * DRIFT_LARGE
    assert psi(RNG.normal(50.0, 2.0, 1_944)) > DRIFT_LARGE


def test_empty_bins_are_finite() -> None:
    assert 2.0 < psi(np.full(1_944, 1e6)) < 20.0


@pytest.mark.parametrize("shares", [(0.55, 0.45), (0.0499, 0.9501), (0.31, 0.35, 0.34), (1.0,)])
def test_values_that_many_batteries_share_do_not_drift_by_themselves(shares: tuple[float, ...]) -> None:
    training = np.repeat(np.arange(len(shares)) * 3.0, [round(10_000 * share) for share in shares])
    assert psi(training, training) < 0.3 * DRIFT_NOTABLE
    assert psi(training + 0.5, training) > DRIFT_LARGE


def test_a_common_value_beside_a_continuous_range_does_not_drift_by_itself() -> None:
    training = np.concatenate([np.zeros(4_990), RNG.uniform(1.0, 2.0, 5_010)])
    assert psi(training, training) < 1e-3
    assert psi(np.concatenate([np.zeros(900), RNG.uniform(1.0, 2.0, 100)]), training) > DRIFT_LARGE


def test_unknown_values_change_the_share_known_and_not_the_index() -> None:
    values = RNG.normal(55.0, 10.0, 1_000)
    half = np.concatenate([values, np.full(1_000, np.nan)])
    (whole,), (sparse,) = drift_of([norm_of(TRAINING)], values[:, None]), drift_of([norm_of(TRAINING)], half[:, None])
    assert (whole.share_known, sparse.share_known) == (1.0, 0.5)
    assert whole.psi == sparse.psi


def test_of_few_batteries_nothing_is_claimed() -> None:
    features = np.column_stack([RNG.normal(50.0, 10.0, MIN_DRIFT_BATTERIES)] * 2)
    assert drift_of([norm_of(TRAINING), norm_of(TRAINING)], features[1:]) == []
    features[0, 1] = np.nan
    first, second = drift_of([norm_of(TRAINING), norm_of(TRAINING)], features)
    assert first.psi is not None
    assert (second.psi, second.share_known) == (None, 1.0 - 1.0 / MIN_DRIFT_BATTERIES)


def test_a_version_without_deciles_has_no_index() -> None:
    norm = norm_of(TRAINING).model_copy(update={"deciles": []})
    (drift,) = drift_of([norm], TRAINING[:100, None])
    assert (drift.psi, drift.share_known) == (None, 1.0)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0, 100.0]), min_size=50, max_size=200), st.randoms())
def test_the_order_of_the_batteries_means_nothing(values: list[float], random: object) -> None:
    training = np.array([0.0] * 35 + [1.0] * 20 + [2.0] * 30 + [7.0] * 15)
    shuffled = values.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    found = counts_in_tenths(np.array(values), deciles_of(training)).tolist()
    assert found == counts_in_tenths(np.array(shuffled), deciles_of(training)).tolist()
    assert sum(found) == pytest.approx(len(values))


def test_a_prediction_of_many_batteries_has_the_drift_of_every_input(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("registry")
    fill(folder, ("v1",))
    predictor = Predictor(Registry(str(folder)).load("v1"), FEATURES)
    same = predictor.respond(fleet(480, seed=1))
    assert [drift.feature for drift in same.drift] == list(FEATURES.names)
    assert max(drift.psi for drift in same.drift if drift.psi is not None) < 0.02
    hot = fleet(480, seed=1)
    hot.days["temperature_mean_c"] += 8.0
    moved = {drift.feature: drift.psi for drift in predictor.respond(hot).drift}
    warm = [name for name, psi in moved.items() if psi is not None and psi > DRIFT_LARGE]
    assert warm
    assert not any("resistance" in name for name in warm)
    assert predictor.respond(fleet(24, seed=1)).drift == []
