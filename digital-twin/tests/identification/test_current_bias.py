"""The bias of a current sensor is what it shows at rest; a real current is none."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from battery_twin.identification.current_bias import current_bias, resting
from battery_twin.identification.fit import Fit, identify
from battery_twin.runs import RecordedRun
from tests.identification.simple_runs import RATED_AH, simple_run
from tests.reference.judge import Recording, with_sensor_errors

DISCHARGE = ((1.0, 0.0), (5.0, -10.0), (0.5, 0.0))


def biased(run: RecordedRun, bias_a: float, noise_a: float = 0.0) -> RecordedRun:
    noise = noise_a * np.random.default_rng(1).standard_normal(len(run))
    return replace(run, current_a=run.current_a + bias_a + noise)


@pytest.mark.parametrize("bias_a", [-0.3, 0.0, 0.3])
def test_the_bias_is_what_the_sensor_shows_at_rest(bias_a: float) -> None:
    run = simple_run(*DISCHARGE)
    measured = current_bias(biased(run, bias_a, noise_a=0.02), RATED_AH)
    assert measured.measured
    assert measured.bias_a == pytest.approx(bias_a, abs=0.01)
    assert measured.remove_from(biased(run, bias_a)).current_a == pytest.approx(run.current_a, abs=0.01)


def test_without_a_rest_the_bias_is_unknown() -> None:
    unknown = current_bias(biased(simple_run((5.0, -10.0)), 0.3), RATED_AH)
    known = current_bias(biased(simple_run(*DISCHARGE), 0.3), RATED_AH)
    assert (unknown.bias_a, unknown.measured) == (0.0, False)
    assert unknown.sd_a > 3 * known.sd_a


@pytest.mark.parametrize(("hours", "every_s"), [(4 / 60, 10.0), (0.5, 900.0)], ids=["too brief", "too few rows"])
def test_a_glimpse_of_a_rest_measures_nothing(hours: float, every_s: float) -> None:
    run = simple_run((5.0, -10.0), (hours, 0.0), every_s=every_s)
    assert not current_bias(biased(run, 0.3), RATED_AH).measured


def test_a_load_that_is_too_large_for_a_bias_is_kept() -> None:
    bias = current_bias(biased(simple_run(*DISCHARGE), -0.6), RATED_AH)
    assert (bias.bias_a, bias.measured) == (0.0, False)


def test_a_float_current_is_no_bias(reference: Mapping[tuple[str, str], Recording]) -> None:
    recording = reference["dev_new", "slow_discharge"]
    floating = np.asarray(recording.run.voltage_v > 13.3)
    rests = resting(recording.run, recording.rated_ah)
    assert (np.abs(recording.run.current_a[floating]) < 0.48).any()
    assert not rests[floating].any()
    assert rests.any()


def test_the_bias_of_a_recording_with_sensor_errors_is_found(calibration: Mapping[str, Recording]) -> None:
    recording = calibration["slow"]
    for seed in range(5):
        measured = with_sensor_errors(recording.run, recording.rated_ah, seed)
        still = np.asarray(np.abs(recording.run.current_a) < 1e-6)
        bias = current_bias(measured, recording.rated_ah)
        assert bias.bias_a == pytest.approx(measured.current_a[still].mean(), abs=3 * bias.sd_a)


def test_a_bias_leaves_the_fitted_capacity_as_it_is(
    calibration: Mapping[str, Recording], calibrated: Mapping[str, Fit]
) -> None:
    recording = calibration["slow"]
    fit = identify((biased(recording.run, 0.3),), recording.rated_ah)
    assert fit.capacity_ah == pytest.approx(calibrated["slow"].capacity_ah, rel=0.01)
    assert fit.values == pytest.approx(calibrated["slow"].values, rel=0.02)


def test_an_unknown_bias_widens_the_capacity(real: Mapping[int, RecordedRun], real_fits: Mapping[int, Fit]) -> None:
    discharging = np.flatnonzero(real[6].current_a < -0.5)
    run = real[6].part(int(discharging[0]) - 1, int(discharging[-1]) + 1)
    fit = identify((run,), 17.0)
    assert fit.capacity_ah == pytest.approx(real_fits[6].capacity_ah, rel=0.03)
    assert fit.capacity_sd_ah > 1.1 * real_fits[6].capacity_sd_ah
