from pathlib import Path

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.identification.excitation import RunTooShort
from battery_twin.identification.findings import fit_error, identified_parameters, notes
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.runs import RecordedRun, read_run
from tests.simulated_block import discharge

RECORDINGS = Path(__file__).parents[1] / "data" / "vrla_recording"


def recording(cycle: int) -> RecordedRun:
    return read_run(RECORDINGS / f"bboxx_A_cycle{cycle}.csv.gz")


@pytest.mark.parametrize(("cycle", "delivered_ah"), [(2, 19.8), (6, 18.95)])
def test_real_recording_is_fitted_to_millivolts_with_its_capacity(cycle: int, delivered_ah: float) -> None:
    fit = identify((recording(cycle),), 17.0)
    assert fit_error(fit).voltage_rmse_mv < 15
    assert fit.capacity_ah == pytest.approx(delivered_ah, rel=0.02)
    assert any("60 s apart" in note for note in notes(fit))


def test_two_runs_at_two_rates_agree_with_each_alone_on_the_curve() -> None:
    both, slow = identify((recording(2), recording(6)), 17.0), identify((recording(6),), 17.0)
    middle = slice(3, 11)
    assert both.table("ocv")[0][middle] == pytest.approx(slow.table("ocv")[0][middle], abs=0.08)


def test_known_circuit_is_recovered_within_its_deviations() -> None:
    truth = data_sheet_parameters(120.0)
    fit = identify((discharge(truth, seed=1),), 120.0)
    names = {item.name: item for item in identified_parameters(fit)}
    assert names["capacity_ah"].identifiable
    assert fit_error(fit).voltage_rmse_mv < 12
    middle = slice(2, 12)
    values, sd, _ = fit.table("ocv")
    assert np.all(np.abs(values - truth.ocv_v)[middle] < 4 * sd[middle] + 0.03)
    total = fit.table("r0")[0] + fit.table("r1")[0]
    expected = np.array(truth.r0_ohm) + truth.r1_ohm
    assert total[2:6] == pytest.approx(expected[2:6], rel=0.3)


def test_without_a_cut_off_capacity_is_assumed_and_noted() -> None:
    run = recording(2)
    fit = identify((run.part(0, 300),), 17.0)
    capacity = identified_parameters(fit)[0]
    assert (capacity.name, capacity.value, capacity.identifiable) == ("capacity_ah", 17.0, False)
    assert capacity.sd == pytest.approx(1.7)
    assert any("capacity stays" in note for note in notes(fit))
    assert any("data sheet" in note for note in notes(fit))


def test_what_lasts_a_second_is_not_identifiable_from_rows_a_minute_apart() -> None:
    parameters = {item.name: item for item in identified_parameters(identify((recording(6),), 17.0))}
    assert not parameters["tau1_s"].identifiable
    assert parameters["tau1_s"].reason.startswith("not identifiable")


@pytest.mark.parametrize(("stop", "column"), [(20, "time_s"), (60, "current_a")])
def test_too_short_a_run_is_refused_with_its_column(stop: int, column: str) -> None:
    with pytest.raises(RunTooShort) as refused:
        identify((recording(2).part(0, stop),), 17.0)
    assert refused.value.column == column


def test_reversed_sign_is_refused_or_misfits_by_far() -> None:
    run = recording(2).part(0, 500)
    with pytest.raises(RunTooShort, match="current > 0 charges"):
        identify((RecordedRun(run.time_s, -run.current_a, run.voltage_v, run.temperature_c),), 17.0)


def test_parameter_set_survives_its_file() -> None:
    for written in (data_sheet_parameters(17.0), fitted_parameters(identify((recording(2),), 17.0), 17.0)):
        assert ParameterSet.from_json(written.to_json()) == written


def test_initial_charge_of_partial_runs_is_recovered() -> None:
    truth = data_sheet_parameters(17.0)
    run = discharge(truth, seed=3)
    parts = (run, run.part(1000, 2100), run.part(2100, len(run)))
    fit = identify(parts, 17.0)
    assert fit.initial_soc == pytest.approx([1.0, 0.80, 0.595], abs=0.01)
    assert fit.knee_a == pytest.approx(truth.knee_a, rel=0.2)
