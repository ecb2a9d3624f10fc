"""Scores against a plain loop, and their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.evaluation.score import HORIZONS_DAYS, Evaluation, as_degenerate_interval
from battery_ml.survival.censoring import inverse_probability_weights

STRINGS = 10


def truth(days: FloatArray, is_censored: BoolArray) -> Snapshots:
    count = len(days)
    return Snapshots(
        features=np.zeros((count, 1), np.float32),
        battery_slot=np.arange(count) % 50,
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=days,
        is_censored=is_censored,
        follow_up_days=np.full(count, 1e5),
    )


STRING_OF_SLOT = np.arange(50) % STRINGS


def random_evaluation(seed: int, count: int = 300) -> Evaluation:
    rng = np.random.default_rng(seed)
    days = rng.gamma(2.0, 300.0, count)
    predicted = np.sort(days[:, None] * rng.lognormal(0.0, 0.4, (count, 3)), axis=1)
    return Evaluation.of(predicted, truth(days, rng.random(count) < 0.3), STRING_OF_SLOT)


def test_metrics_are_those_of_a_plain_loop() -> None:
    evaluation = random_evaluation(1)
    weights = inverse_probability_weights(evaluation.truth.days_to_end, evaluation.truth.is_censored)
    total = error = bias = covered = width = long_total = relative = 0.0
    for weight, actual, (low, middle, high) in zip(weights, evaluation.truth.days_to_end, evaluation.days, strict=True):
        total += weight
        error += weight * abs(middle - actual)
        bias += weight * (middle - actual)
        covered += weight * (low <= actual <= high)
        width += weight * (high - low)
        if actual >= 30.0:
            long_total += weight
            relative += weight * abs(middle - actual) / actual
    score = evaluation.score()
    assert score.mae_days == pytest.approx(error / total)
    assert score.bias_days == pytest.approx(bias / total)
    assert score.coverage_p10_p90 == pytest.approx(covered / total)
    assert score.mean_width_days == pytest.approx(width / total)
    assert score.mape_pct == pytest.approx(100.0 * relative / long_total)
    assert (score.snapshots, score.batteries, score.strings) == (300, 50, STRINGS)
    assert score.censored_share == evaluation.truth.is_censored.mean()


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_intervals_enclose_their_metric_and_the_seed_repeats_them(seed: int) -> None:
    evaluation = random_evaluation(seed)
    score = evaluation.score()
    assert score.mae_days_low <= score.mae_days <= score.mae_days_high
    assert 0.0 <= score.coverage_low <= score.coverage_p10_p90 <= score.coverage_high <= 1.0
    assert abs(score.bias_days) <= score.mae_days
    assert score == evaluation.score()
    assert score.mae_days_low != evaluation.score(seed=1).mae_days_low


def test_the_bootstrap_draws_strings_not_snapshots() -> None:
    # Within a string all errors are equal: only the variance between strings is left.
    string = np.repeat(np.arange(STRINGS), 400)
    days = np.full(len(string), 1000.0)
    facts = truth(days, np.zeros(len(string), np.bool_))
    predicted = as_degenerate_interval(days + 100.0 * string)
    score = Evaluation(predicted, facts, string, np.ones(len(string))).score()
    expected = 1.96 * 100.0 * np.arange(STRINGS).std() / np.sqrt(STRINGS)
    assert 0.5 * (score.mae_days_high - score.mae_days_low) == pytest.approx(expected, rel=0.15)


def test_perfect_points_have_no_error_and_full_coverage() -> None:
    evaluation = random_evaluation(2)
    perfect = Evaluation.of(as_degenerate_interval(evaluation.truth.days_to_end), evaluation.truth, STRING_OF_SLOT)
    score = perfect.score()
    assert (score.mae_days, score.bias_days, score.mape_pct, score.mean_width_days) == (0.0, 0.0, 0.0, 0.0)
    assert score.coverage_p10_p90 == 1.0


def test_a_degenerate_interval_has_three_equal_quantiles() -> None:
    days = np.array([1.0, 5.0])
    assert as_degenerate_interval(days).tolist() == [[1.0] * 3, [5.0] * 3]


def test_a_set_without_failures_has_no_score() -> None:
    days = np.array([10.0, 20.0])
    evaluation = Evaluation.of(as_degenerate_interval(days), truth(days, np.ones(2, np.bool_)), STRING_OF_SLOT)
    with pytest.raises(ValueError, match="no battery of the set failed"):
        evaluation.score()
    assert evaluation.by_horizon() == {}


def test_horizons_divide_the_failures() -> None:
    evaluation = random_evaluation(3)
    has_failed = ~evaluation.truth.is_censored
    horizons = evaluation.by_horizon()
    assert sum(score.snapshots for score in horizons.values()) == has_failed.sum()
    assert all(score.censored_share == 0.0 for score in horizons.values())
    limits = [int(name.split("-")[0]) for name in horizons]
    assert limits == sorted(limits)
    assert set(limits) <= set(HORIZONS_DAYS)


def test_a_part_keeps_its_weights_in_the_whole() -> None:
    evaluation = random_evaluation(4)
    chosen = evaluation.truth.days_to_end > 500.0
    np.testing.assert_array_equal(evaluation.where(chosen).weights, evaluation.weights[chosen])
    parts = [evaluation.where(chosen), evaluation.where(~chosen)]
    mean = sum(part.score().mae_days * part.weights.sum() for part in parts) / evaluation.weights.sum()
    assert mean == pytest.approx(evaluation.score().mae_days)


def test_errors_below_a_month_are_left_out_of_the_relative_error() -> None:
    days = np.array([1.0, 2.0, 29.9])
    evaluation = Evaluation.of(as_degenerate_interval(days + 10.0), truth(days, np.zeros(3, np.bool_)), STRING_OF_SLOT)
    assert evaluation.score().mape_pct == 0.0
    assert evaluation.score().mae_days == pytest.approx(10.0)
