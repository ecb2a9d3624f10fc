from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from battery_twin.consistency import validate
from battery_twin.identification.fit import identify
from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.replay import replay
from battery_twin.runs import Run, RunInvalid, read_run

from .identification.circuit import discharge

RECORDINGS = Path(__file__).parent / "data" / "vrla_recording"


def recording(cycle: int) -> Run:
    return read_run(RECORDINGS / f"bboxx_A_cycle{cycle}.csv.gz")


def biased(run: Run, bias_a: float) -> Run:
    return Run(run.time_s, run.current_a + bias_a, run.voltage_v, run.temperature_c)


@pytest.fixture(scope="module")
def calibrated() -> dict[int, ParameterSet]:
    return {cycle: ParameterSet.of_fit(identify((recording(cycle),), 17.0), 17.0) for cycle in (2, 6)}


@pytest.mark.parametrize("bias_a", [0.0, 0.2])
@pytest.mark.parametrize(("known", "replayed"), [(2, 6), (6, 2)])
def test_calibrated_on_one_real_cycle_the_other_is_followed(
    calibrated: dict[int, ParameterSet], known: int, replayed: int, bias_a: float
) -> None:
    """20 % wrong at the start; the reference counts the discharge with the recording's own sensor."""
    run = recording(replayed)
    found = replay(biased(run, bias_a), calibrated[known], 0.8)
    end = int(np.argmin(run.charge_ah))
    delivered_ah = -run.charge_ah[end]
    error = (found.soc - (1 + run.charge_ah / delivered_ah))[60:end]
    assert np.sqrt(np.mean(error**2)) < 0.07
    assert np.mean(np.abs(error) < 1.645 * found.soc_sd[60:end]) > 0.8
    assert abs(found.soh[end] - delivered_ah / 17.0) < 1.645 * found.soh_sd[end]
    assert np.sqrt(np.mean(found.innovation_v[60:end] ** 2)) < 0.015


def test_matched_model_finds_charge_and_capacity_through_wrong_start_and_bias() -> None:
    truth = ParameterSet.default_for(120.0)
    # The model is matched: its circuit is known as one from a calibration is.
    known = replace(truth, calibrated=True, ocv_shift_sd_v=0.005, resistance_relative_sd=0.1, voltage_rmse_v=0.005)
    for seed, soh in enumerate((0.75, 0.85, 1.0)):
        run = discharge(truth, seed=seed, bias_a=0.2, soh=soh)
        found = replay(run, known, 0.8)
        true_soc = 1 + biased(run, -0.2).charge_ah / (120.0 * soh)
        busy = slice(180, int(np.argmax(true_soc < 0.1)))
        assert np.sqrt(np.mean((found.soc - true_soc)[busy] ** 2)) < 0.05
        last = busy.stop - 1
        assert abs(found.soh[last] - soh) < 2.6 * found.soh_sd[last]


def test_a_row_uses_nothing_later_than_itself(calibrated: dict[int, ParameterSet]) -> None:
    run = recording(6)
    whole, begun = replay(run, calibrated[2], 0.8), replay(run.part(0, 400), calibrated[2], 0.8)
    for name in ("soc", "soc_sd", "soh", "soh_sd", "voltage_pred"):
        assert np.array_equal(getattr(whole, name)[:400], getattr(begun, name))


def test_estimates_stay_in_bounds_through_gaps_spikes_and_wild_currents() -> None:
    rng = np.random.default_rng(3)
    time_s = np.cumsum(rng.choice([1.0, 60.0, 3600.0, 1e6], 300))
    run = Run(time_s, rng.normal(0, 300, 300), rng.uniform(-5, 20, 300), rng.uniform(-20, 60, 300))
    found = replay(run, ParameterSet.default_for(120.0), 0.5)
    for values in (found.soc, found.soc_sd, found.soh, found.soh_sd, found.voltage_pred):
        assert np.isfinite(values).all()
    assert ((found.soc >= 0) & (found.soc <= 1)).all()


def test_float_teaches_nothing_of_capacity() -> None:
    time_s = np.arange(0, 86400.0, 60.0)
    level = np.ones_like(time_s)
    found = replay(Run(time_s, 0.03 * level, 13.65 * level, 25 * level), ParameterSet.default_for(120.0), 0.95)
    assert found.soh_sd[-1] > 0.9 * found.soh_sd[0]
    assert found.soh[-1] == pytest.approx(1.0, abs=0.02)
    assert found.soc[-1] > 0.9


def test_consistency_report_names_a_wrong_model() -> None:
    truth = ParameterSet.default_for(120.0)
    run = discharge(truth, seed=4)
    good = validate(run, truth)
    assert good.consistent
    assert good.voltage_rmse_mv < 20
    wild = Run(run.time_s, run.current_a, run.voltage_v + 0.5 * np.sign(np.sin(run.time_s / 100)), run.temperature_c)
    bad = validate(wild, truth)
    assert not bad.consistent
    assert any("too narrow" in finding for finding in bad.findings)


def test_a_run_of_nothing_but_charge_cannot_be_validated() -> None:
    run = recording(2)
    with pytest.raises(RunInvalid, match="too few"):
        validate(run.part(700, 800), ParameterSet.default_for(17.0))
