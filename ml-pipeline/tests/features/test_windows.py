"""Windows against numpy's own answers, and with holes."""

import numpy as np

from battery_ml.features.windows import mean_of_last, median_of_string, slope_of_last

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


def test_a_string_is_its_own_norm_when_three_are_known() -> None:
    rng = np.random.default_rng(5)
    values, string = rng.normal(size=200), rng.integers(0, 12, 200)
    values[rng.random(200) < 0.3] = np.nan
    values[string == 3] = np.nan
    found = median_of_string(values, string)
    for number in range(12):
        known = values[(string == number) & np.isfinite(values)]
        expected = np.median(known) if len(known) >= 3 else np.nan
        np.testing.assert_allclose(found[string == number], expected)


def test_one_or_two_blocks_are_no_norm() -> None:
    found = median_of_string(np.array([4.0, 6.0, np.nan, 2.0]), np.array([0, 0, 0, 1]))
    assert np.isnan(found).all()
