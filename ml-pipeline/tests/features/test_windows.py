"""Windows against numpy's own answers, and with holes."""

import numpy as np

from battery_ml.features.windows import mean_of_last, over_string_median, slope_of_last

DAYS = np.random.default_rng(3).normal(size=(7, 50))
DAYS[1, ::3] = DAYS[2, :] = DAYS[3, :-2] = np.nan


def test_means_are_of_what_was_read() -> None:
    means = mean_of_last(DAYS, 20)
    for row in (0, 1, 3):
        np.testing.assert_allclose(means[row], np.nanmean(DAYS[row, -20:]))
    assert np.isnan(means[2])


def test_slopes_are_those_of_polyfit() -> None:
    slopes = slope_of_last(DAYS, 30)
    for row in (0, 1, 6):
        known = np.isfinite(DAYS[row, -30:])
        np.testing.assert_allclose(slopes[row], np.polyfit(np.arange(30)[known], DAYS[row, -30:][known], 1)[0])
    assert np.isnan(slopes[[2, 3]]).all()


def test_a_string_is_its_own_norm() -> None:
    ratios = over_string_median(np.array([4.0, np.nan, 6.0, 2.0, np.nan]), ["S", "S", "S", "T", "U"])
    np.testing.assert_allclose(ratios, [0.8, np.nan, 1.2, 1.0, np.nan])
