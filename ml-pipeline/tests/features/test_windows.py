"""Windows against numpy's own functions, with missing readings."""

import numpy as np

from battery_ml.features.windows import mean_of_last, median_of_string, slope_of_last

DAYS = np.random.default_rng(3).normal(size=(7, 50))
DAYS[1, ::3] = DAYS[2, :] = DAYS[3, :-2] = np.nan


def test_means_leave_missing_readings_out() -> None:
    means = mean_of_last(DAYS, 20)
    for row in (0, 1, 3):
        np.testing.assert_allclose(means[row], np.nanmean(DAYS[row, -20:]))
    assert np.isnan(means[2])


def test_slopes_are_those_of_polyfit() -> None:
    slopes = slope_of_last(DAYS, 30)
    for row in (0, 1, 6):
        finite = np.isfinite(DAYS[row, -30:])
        np.testing.assert_allclose(slopes[row], np.polyfit(np.arange(30)[finite], DAYS[row, -30:][finite], 1)[0])
    assert np.isnan(slopes[[2, 3]]).all()


def test_medians_are_numpys_when_three_values_are_finite() -> None:
    rng = np.random.default_rng(5)
    values, string = rng.normal(size=200), rng.integers(0, 12, 200)
    values[rng.random(200) < 0.3] = np.nan
    values[string == 3] = np.nan
    medians = median_of_string(values, string)
    for number in range(12):
        finite = values[(string == number) & np.isfinite(values)]
        expected = np.median(finite) if len(finite) >= 3 else np.nan
        np.testing.assert_allclose(medians[string == number], expected)


def test_fewer_than_three_values_have_no_median() -> None:
    medians = median_of_string(np.array([4.0, 6.0, np.nan, 2.0]), np.array([0, 0, 0, 1]))
    assert np.isnan(medians).all()
