"""Weights against a table worked by hand and against simulated censoring."""

import numpy as np
import pytest

from battery_ml.survival.censoring import inverse_probability_weights, uncensored_probability, weighted_quantile


def test_probabilities_are_those_of_kaplan_and_meier_by_hand() -> None:
    days = np.array([1.0, 2.0, 2.0, 3.0, 4.0])
    is_censored = np.array([False, True, False, True, False])
    # Censored at 2 with three of five at risk after the end of the same day, at 3 with two.
    expected = [1.0, 1.0, 1.0, 2 / 3, 2 / 3 * 1 / 2]
    np.testing.assert_allclose(uncensored_probability(days, is_censored), expected)
    np.testing.assert_allclose(inverse_probability_weights(days, is_censored), [1.0, 0.0, 1.0, 0.0, 3.0])


def test_weighted_failures_have_the_mean_of_all_lives() -> None:
    rng = np.random.default_rng(1)
    lives, observed_until = rng.gamma(4.0, 300.0, 40_000), rng.uniform(100.0, 6000.0, 40_000)
    days, is_censored = np.minimum(lives, observed_until), lives > observed_until
    weights = inverse_probability_weights(days, is_censored)
    assert abs(np.average(days, weights=weights) / lives.mean() - 1.0) < 0.02
    assert days[~is_censored].mean() / lives.mean() < 0.95


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9, 1.0])
def test_a_weight_counts_as_that_many_copies(level: float) -> None:
    values, weights = np.array([5.0, 1.0, 3.0]), np.array([2.0, 1.0, 7.0])
    copies = np.repeat(values, weights.astype(int))
    assert weighted_quantile(values, weights, level) == np.quantile(copies, level, method="inverted_cdf")
