from collections.abc import Mapping

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import DEPLETION_H, TAU_D_S, data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.identification.excitation import RunTooShort
from battery_twin.identification.findings import fit_error, identified_parameters, notes
from battery_twin.identification.fit import Fit, identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.identification.prior import LOG_DEPLETION_SD
from battery_twin.runs import RecordedRun
from tests.reference.judge import Recording, with_sensor_errors
from tests.simulated_block import discharge


@pytest.mark.parametrize(("cycle", "delivered_ah"), [(2, 19.8), (6, 18.95)])
def test_real_recording_is_fitted_to_millivolts_with_its_capacity(
    real_fits: Mapping[int, Fit], cycle: int, delivered_ah: float
) -> None:
    fit = real_fits[cycle]
    assert fit_error(fit).voltage_rmse_mv < 20
    assert fit.capacity_ah == pytest.approx(delivered_ah, rel=0.02)
    assert any("60 s apart" in note for note in notes(fit))


def test_two_runs_at_two_rates_agree_with_each_alone_on_the_curve(
    real: Mapping[int, RecordedRun], real_fits: Mapping[int, Fit]
) -> None:
    both = identify((real[2], real[6]), 17.0)
    middle = slice(3, 11)
    assert both.table("ocv")[0][middle] == pytest.approx(real_fits[6].table("ocv")[0][middle], abs=0.08)


def test_known_circuit_is_recovered_within_its_deviations() -> None:
    truth = data_sheet_parameters(120.0)
    fit = identify((discharge(truth, seed=1),), 120.0)
    assert fit.capacity_ah == pytest.approx(120.0, rel=0.01)
    assert fit_error(fit).voltage_rmse_mv < 12
    middle = slice(2, 12)
    values, sd, _ = fit.table("ocv")
    assert np.all(np.abs(values - truth.ocv_v)[middle] < 4 * sd[middle] + 0.03)
    total = fit.table("r0")[0] + fit.table("r1")[0]
    expected = np.array(truth.r0_ohm) + truth.r1_ohm
    assert total[2:6] == pytest.approx(expected[2:6], rel=0.3)


def test_without_a_cut_off_capacity_is_assumed_and_noted(real: Mapping[int, RecordedRun]) -> None:
    fit = identify((real[2].part(0, 300),), 17.0)
    capacity = identified_parameters(fit)[0]
    assert (capacity.name, capacity.value, capacity.identifiable) == ("capacity_ah", 17.0, False)
    assert capacity.sd == pytest.approx(1.7)
    assert any("capacity stays" in note for note in notes(fit))
    assert any("data sheet" in note for note in notes(fit))


def test_what_lasts_a_second_is_not_identifiable_from_rows_a_minute_apart(real_fits: Mapping[int, Fit]) -> None:
    parameters = {item.name: item for item in identified_parameters(real_fits[6])}
    assert not parameters["tau1_s"].identifiable
    assert parameters["tau1_s"].reason.startswith("not identifiable")


@pytest.mark.parametrize(("start", "stop", "column"), [(0, 20, "time_s"), (60, 85, "time_s"), (0, 60, "current_a")])
def test_too_short_a_run_is_refused_with_its_column(
    real: Mapping[int, RecordedRun], start: int, stop: int, column: str
) -> None:
    with pytest.raises(RunTooShort) as refused:
        identify((real[2].part(start, stop),), 17.0)
    assert refused.value.column == column


def test_parameter_set_survives_its_file(real_fits: Mapping[int, Fit]) -> None:
    for written in (data_sheet_parameters(17.0), fitted_parameters(real_fits[2], 17.0)):
        assert ParameterSet.from_json(written.to_json()) == written


def test_the_capacity_of_a_slow_discharge_is_the_true_one(
    calibration: Mapping[str, Recording], calibrated: Mapping[str, Fit]
) -> None:
    fit, truth_ah = calibrated["slow"], calibration["slow"].capacity_ah
    assert fit.capacity_ah == pytest.approx(truth_ah, rel=0.02)
    assert abs(fit.capacity_ah - truth_ah) < 2 * fit.capacity_sd_ah
    assert fit.capacity_sd_ah < 0.03 * truth_ah
    assert identified_parameters(fit)[0].identifiable


def test_the_capacity_of_a_fast_discharge_is_extrapolated_with_a_wide_deviation(
    calibration: Mapping[str, Recording], calibrated: Mapping[str, Fit]
) -> None:
    fit, truth_ah = calibrated["fast"], calibration["fast"].capacity_ah
    (cut,) = fit.cut_offs
    assert not cut.is_slow
    assert cut.delivered_ah < 0.9 * truth_ah
    assert abs(fit.capacity_ah - truth_ah) < 2 * fit.capacity_sd_ah
    assert fit.capacity_sd_ah > 2 * calibrated["slow"].capacity_sd_ah


@pytest.mark.parametrize(
    ("block", "profile"),
    [("dev_aged", "fast_discharge"), ("dev_aged_far", "fast_discharge"), ("dev_aged", "hour_discharge")],
)
def test_the_extrapolated_capacity_of_an_aged_block_is_within_its_deviation(
    reference: Mapping[tuple[str, str], Recording], block: str, profile: str
) -> None:
    recording = reference[block, profile]
    fit = identify((recording.run,), recording.rated_ah)
    assert abs(fit.capacity_ah - recording.capacity_ah) < 2 * fit.capacity_sd_ah


def test_sensor_errors_leave_the_capacity_within_its_deviation(calibration: Mapping[str, Recording]) -> None:
    recording = calibration["slow"]
    run = with_sensor_errors(recording.run, recording.rated_ah, seed=3)
    fit = identify((run,), recording.rated_ah)
    assert fit.capacity_ah == pytest.approx(recording.capacity_ah, rel=0.025)
    assert abs(fit.capacity_ah - recording.capacity_ah) < 2 * fit.capacity_sd_ah
    assert fit_error(fit).voltage_rmse_mv < 15


def test_pulses_of_charge_do_not_shift_the_full_rest_voltage(calibrated: Mapping[str, Fit]) -> None:
    pulses, slow = (calibrated[name].table("ocv")[0][-1] for name in ("pulses", "slow"))
    assert pulses == pytest.approx(slow, abs=0.03)


def test_one_rate_leaves_the_depletion_of_the_data_sheet_and_two_fit_it(calibrated: Mapping[str, Fit]) -> None:
    one, two = calibrated["fast"], calibrated["both"]
    assert (one.dynamics.tau_d_s, one.dynamics.depletion_h) == pytest.approx((TAU_D_S, DEPLETION_H), rel=0.3)
    assert abs(np.log(two.dynamics.depletion_h / DEPLETION_H)) > 0.2
    names = {item.name: item for item in identified_parameters(two)}
    assert names["depletion_h"].sd < LOG_DEPLETION_SD * names["depletion_h"].value


def test_a_fitted_set_is_of_its_block_and_for_others(calibrated: Mapping[str, Fit]) -> None:
    slow, fast = (fitted_parameters(calibrated[name], 120.0) for name in ("slow", "fast"))
    assert slow.calibrated
    assert (np.diff(slow.ocv_v) > 0).all()
    assert slow.voltage_error_sd_v < fast.voltage_error_sd_v
    assert slow.depletion_relative_sd < data_sheet_parameters(120.0).depletion_relative_sd
    assert slow.capacity_sd_ah < fast.capacity_sd_ah


def test_initial_charge_of_partial_runs_is_recovered() -> None:
    truth = data_sheet_parameters(17.0)
    run = discharge(truth, seed=3)
    parts = (run, run.part(1000, 2100), run.part(2100, len(run)))
    fit = identify(parts, 17.0)
    assert fit.initial_soc == pytest.approx([1.0, 0.80, 0.595], abs=0.01)
    assert fit.dynamics.knee_a == pytest.approx(truth.knee_a, rel=0.2)
