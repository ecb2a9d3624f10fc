"""Scores of survival curves against plain loops and against what must hold of a perfect and of a blind forecast."""

import numpy as np
import pytest

from battery_ml.arrays import FloatArray
from battery_ml.evaluation.survival_scores import HORIZONS_DAYS, Forecast, SurvivalScores, scores_of

COUNT = 3000


def exponential(seed: int, spread: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Return mean lives (n,) and lives drawn from the exponential law with them."""
    rng = np.random.default_rng(seed)
    mean = 500.0 * np.exp(spread * rng.normal(0.0, 1.0, COUNT))
    return mean, rng.exponential(mean)


def scored(mean: FloatArray, days: FloatArray) -> SurvivalScores:
    risks = np.column_stack([1.0 - np.exp(-horizon / mean) for horizon in HORIZONS_DAYS])
    forecast = Forecast(risks, -np.log(0.9) * mean, np.log(2.0) * mean, 1.0 - np.exp(-days / mean))
    return scores_of(forecast, days, np.arange(len(days)) // 3)


def test_area_and_brier_score_are_those_of_plain_loops() -> None:
    mean, days = exponential(1)
    scores = scored(mean[:200], days[:200])
    for horizon, score in scores.horizons.items():
        risk = 1.0 - np.exp(-horizon / mean[:200])
        failed = days[:200] <= horizon
        wins = [
            1.0 if risk[case] > risk[control] else 0.5 if risk[case] == risk[control] else 0.0
            for case in np.flatnonzero(failed)
            for control in np.flatnonzero(~failed)
        ]
        assert score.auc.value == pytest.approx(np.mean(wins))
        assert score.brier.value == pytest.approx(np.mean((risk - failed) ** 2))
        assert score.auc.low <= score.auc.value <= score.auc.high


def test_a_true_model_is_calibrated_and_keeps_its_promises() -> None:
    mean, days = exponential(2, spread=2.0)
    scores = scored(mean, days)
    assert scores.pit == pytest.approx([0.1] * 10, abs=0.02)
    for score in scores.horizons.values():
        assert score.expected_calibration_error.value < 0.03
        assert score.brier.value < score.brier_of_base_rate
    safe = scores.safe_list
    assert safe.failed_share.low <= safe.promised_share <= safe.failed_share.high
    assert scores.soon_list.recall.value > scores.soon_list.listed_share


def test_a_model_twice_too_hopeful_is_found_out() -> None:
    mean, days = exponential(3, spread=2.0)
    hopeful = scored(3.0 * mean, days)
    assert hopeful.horizons[365].expected_calibration_error.low > 0.05
    assert hopeful.safe_list.failed_share.low > hopeful.safe_list.promised_share
    assert hopeful.pit[0] > 0.2
    # The order of the batteries is as good as before.
    assert hopeful.concordance == pytest.approx(scored(mean, days).concordance, abs=1e-9)


def test_shuffled_lives_leave_no_skill() -> None:
    mean, days = exponential(4)
    blind = scored(mean, np.random.default_rng(5).permutation(days))
    assert blind.concordance == pytest.approx(0.5, abs=0.02)
    assert all(abs(score.auc.value - 0.5) < 0.05 for score in blind.horizons.values())


def test_a_list_without_batteries_has_no_precision() -> None:
    days = np.full(30, 5000.0)
    scores = scored(np.full(30, 1e6), days)
    assert (scores.soon_list.listed_share, scores.safe_list.listed_share) == (0.0, 1.0)
    assert np.isnan(scores.soon_list.precision.value)
    assert scores.safe_list.failed_share.value == 0.0
