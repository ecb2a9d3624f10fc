from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.consistency import validate
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun, RunInvalid, read_run
from tests.simulated_block import discharge

RECORDINGS = Path(__file__).parent / "data" / "vrla_recording"


def recording(cycle: int) -> RecordedRun:
    return read_run(RECORDINGS / f"bboxx_A_cycle{cycle}.csv.gz")


def biased(run: RecordedRun, bias_a: float) -> RecordedRun:
    return RecordedRun(run.time_s, run.current_a + bias_a, run.voltage_v, run.temperature_c)


@pytest.fixture(scope="module")
def calibrated() -> dict[int, ParameterSet]:
    return {cycle: fitted_parameters(identify((recording(cycle),), 17.0), 17.0) for cycle in (2, 6)}


@pytest.mark.parametrize("bias_a", [0.0, 0.2])
@pytest.mark.parametrize(("source", "replayed"), [(2, 6), (6, 2)])
def test_calibrated_on_one_real_cycle_the_other_is_followed(
    calibrated: dict[int, ParameterSet], source: int, replayed: int, bias_a: float
) -> None:
    """The start is wrong by 20 %; the reference counts the discharge with the recording's own sensor."""
    run = recording(replayed)
    estimates = replay(biased(run, bias_a), calibrated[source], 0.8)
    end = int(np.argmin(run.charge_ah))
    delivered_ah = -run.charge_ah[end]
    error = (estimates.soc - (1 + run.charge_ah / delivered_ah))[60:end]
    assert np.sqrt(np.mean(error**2)) < 0.03
    assert np.mean(np.abs(error) < 1.645 * estimates.soc_sd[60:end]) > 0.8
    assert abs(estimates.soh[end] - delivered_ah / 17.0) < 1.645 * estimates.soh_sd[end]
    assert np.sqrt(np.mean(estimates.innovation_v[60:end] ** 2)) < 0.025


def test_matched_model_finds_charge_and_capacity_through_wrong_start_and_bias() -> None:
    truth = data_sheet_parameters(120.0)
    # The model is matched, so its circuit is as certain as a calibrated one.
    params = replace(truth, calibrated=True, ocv_shift_sd_v=0.005, resistance_relative_sd=0.1, voltage_rmse_v=0.005)
    for seed, soh in enumerate((0.75, 0.85, 1.0)):
        run = discharge(truth, seed=seed, bias_a=0.2, soh=soh)
        estimates = replay(run, params, 0.8)
        true_soc = 1 + biased(run, -0.2).charge_ah / (120.0 * soh)
        busy = slice(180, int(np.argmax(true_soc < 0.1)))
        # At rest, weak acid and little charge look the same until the discharge tells them apart; the interval says so.
        error = (estimates.soc - true_soc)[busy]
        assert np.sqrt(np.mean(error**2)) < 0.08
        assert np.mean(np.abs(error) < 1.645 * estimates.soc_sd[busy]) > 0.85
        last = busy.stop - 1
        assert abs(estimates.soh[last] - soh) < 2.6 * estimates.soh_sd[last]


def test_a_row_uses_nothing_later_than_itself(calibrated: dict[int, ParameterSet]) -> None:
    run = recording(6)
    whole, partial = replay(run, calibrated[2], 0.8), replay(run.part(0, 400), calibrated[2], 0.8)
    for name in ("soc", "soc_sd", "soh", "soh_sd", "voltage_pred"):
        assert np.array_equal(getattr(whole, name)[:400], getattr(partial, name))


def test_estimates_stay_in_bounds_through_gaps_spikes_and_wild_currents() -> None:
    rng = np.random.default_rng(3)
    time_s = np.cumsum(rng.choice([1.0, 60.0, 3600.0, 1e6], 300))
    run = RecordedRun(time_s, rng.normal(0, 300, 300), rng.uniform(-5, 20, 300), rng.uniform(-20, 60, 300))
    estimates = replay(run, data_sheet_parameters(120.0), 0.5)
    for values in (estimates.soc, estimates.soc_sd, estimates.soh, estimates.soh_sd, estimates.voltage_pred):
        assert np.isfinite(values).all()
    assert ((estimates.soc >= 0) & (estimates.soc <= 1)).all()


def test_float_is_no_evidence_of_capacity() -> None:
    time_s = np.arange(0, 86400.0, 60.0)
    level = np.ones_like(time_s)
    estimates = replay(RecordedRun(time_s, 0.03 * level, 13.65 * level, 25 * level), data_sheet_parameters(120.0), 0.95)
    assert estimates.soh_sd[-1] > 0.9 * estimates.soh_sd[0]
    assert estimates.soh[-1] == pytest.approx(1.0, abs=0.02)
    assert estimates.soc[-1] > 0.9


def test_consistency_report_names_a_wrong_model() -> None:
    truth = data_sheet_parameters(120.0)
    run = discharge(truth, seed=4)
    good = validate(run, truth)
    assert good.consistent
    assert good.voltage_rmse_mv < 20
    wild = RecordedRun(
        run.time_s, run.current_a, run.voltage_v + 0.5 * np.sign(np.sin(run.time_s / 100)), run.temperature_c
    )
    bad = validate(wild, truth)
    assert not bad.consistent
    assert any("too narrow" in finding for finding in bad.findings)


def test_a_run_of_nothing_but_charge_cannot_be_validated() -> None:
    run = recording(2)
    with pytest.raises(RunInvalid, match="too few"):
        validate(run.part(700, 800), data_sheet_parameters(17.0))
