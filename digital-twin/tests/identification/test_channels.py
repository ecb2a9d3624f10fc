"""Runs that cannot be of one 12 V block are refused before anything is fitted, in words that say what to mend."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from battery_twin.identification.channels import check_channels, check_cut_offs
from battery_twin.identification.excitation import CutOff, find_cut_offs
from battery_twin.identification.fit import identify
from battery_twin.runs import RecordedRun, RunInvalid
from tests.identification.simple_runs import RATED_AH, scaled, simple_run
from tests.reference.judge import Recording, with_sensor_errors

DISCHARGE = ((1.0, 0.0), (5.0, -10.0))
PULSES = ((1.0, 0.0), (2.0, -10.0), (0.1, -50.0), (2.0, -10.0), (0.1, -50.0), (1.0, 0.0))


def refusal(*runs: RecordedRun, rated_ah: float = RATED_AH) -> RunInvalid:
    with pytest.raises(RunInvalid) as refused:
        identify(runs, rated_ah)
    return refused.value


def cut_off(delivered_ah: float) -> CutOff:
    return CutOff(run=0, row=99, delivered_ah=delivered_ah, mean_current_a=10.0, temperature_c=25.0, is_slow=True)


@pytest.mark.parametrize("noisy", [False, True])
def test_every_recording_of_a_block_passes_and_none_with_its_current_reversed(
    reference: Mapping[tuple[str, str], Recording], noisy: bool
) -> None:
    for recording in reference.values():
        run = with_sensor_errors(recording.run, recording.rated_ah, seed=1) if noisy else recording.run
        check_channels((run,), recording.rated_ah)
        with pytest.raises(RunInvalid) as refused:
            check_channels((scaled(run, current=-1.0),), recording.rated_ah)
        assert refused.value.column == "current_a"


def test_the_real_recordings_pass(real: Mapping[int, RecordedRun]) -> None:
    check_channels((real[2], real[6]), 17.0)


@pytest.mark.parametrize("factor", [1 / 6, 0.5, 2.0, 1e-3, 1e3], ids=["cell", "6 V", "24 V", "kV", "mV"])
def test_another_nominal_voltage_is_refused(factor: float) -> None:
    refused = refusal(scaled(simple_run(*DISCHARGE), voltage=factor))
    assert refused.column == "voltage_v"
    assert "which no 12 V block is" in str(refused)
    assert f"{np.median(simple_run(*DISCHARGE).voltage_v) * factor:.2f} V" in str(refused)


def test_a_real_recording_per_cell_is_refused(real: Mapping[int, RecordedRun]) -> None:
    refused = refusal(scaled(real[2], voltage=1 / 6), rated_ah=17.0)
    assert refused.column == "voltage_v"
    assert "convert the voltage of a cell or a string" in str(refused)


def test_a_block_that_is_drained_far_below_ten_volts_for_a_while_passes() -> None:
    run = simple_run(*DISCHARGE)
    drained = replace(run, voltage_v=np.where(np.arange(len(run)) > len(run) - 60, 6.0, run.voltage_v))
    check_channels((drained,), RATED_AH)


@pytest.mark.parametrize("noise_v", [0.0, 0.003])
def test_a_dead_voltage_channel_is_refused(noise_v: float) -> None:
    run = simple_run(*DISCHARGE)
    noise = noise_v * np.sin(np.arange(len(run)))
    refused = refusal(replace(run, voltage_v=12.6 + noise))
    assert refused.column == "voltage_v"
    assert "run 1 never changes" in str(refused)
    assert "the channel is dead" in str(refused)


def test_a_rest_beside_a_discharge_is_no_dead_channel() -> None:
    check_channels((simple_run(*DISCHARGE), simple_run((3.0, 0.0), start_soc=0.5)), RATED_AH)


@pytest.mark.parametrize("noise_a", [0.0, 0.1])
def test_a_dead_current_channel_is_refused(noise_a: float) -> None:
    run = simple_run(*DISCHARGE)
    refused = refusal(replace(run, current_a=noise_a * np.sin(np.arange(len(run)))))
    assert refused.column == "current_a"
    assert "never changes while the voltage does: the channel is dead" in str(refused)


def test_a_dead_current_channel_of_a_real_recording_is_refused(real: Mapping[int, RecordedRun]) -> None:
    refused = refusal(scaled(real[6], current=0.0), rated_ah=17.0)
    assert refused.column == "current_a"
    assert "the channel is dead" in str(refused)


@pytest.mark.parametrize("plan", [DISCHARGE, PULSES], ids=["without steps", "with steps"])
def test_a_reversed_current_is_refused_and_the_right_one_passes(plan: tuple[tuple[float, float], ...]) -> None:
    run = simple_run(*plan)
    check_channels((run,), RATED_AH)
    refused = refusal(scaled(run, current=-1.0))
    assert refused.column == "current_a"
    assert "current > 0 must charge: change its sign" in str(refused)


@pytest.mark.parametrize("cycle", [2, 6])
def test_a_reversed_real_recording_is_refused(real: Mapping[int, RecordedRun], cycle: int) -> None:
    refused = refusal(scaled(real[cycle], current=-1.0), rated_ah=17.0)
    assert refused.column == "current_a"
    assert "change its sign" in str(refused)


def test_the_refusal_names_the_run() -> None:
    run = simple_run(*DISCHARGE)
    assert "in run 2 " in str(refusal(run, scaled(run, current=-1.0)))
    assert "run 3 " in str(refusal(run, run, scaled(run, voltage=2.0)))


@pytest.mark.parametrize("plan", [((8.0, 10.0),), ((1.0, 0.0), (4.0, 10.0), (1.0, 0.0), (3.0, 5.0), (1.0, 0.0))])
def test_charge_alone_is_no_reversed_discharge_but_shows_nothing(plan: tuple[tuple[float, float], ...]) -> None:
    run = simple_run((0.5, 0.0), *plan, start_soc=0.2)
    check_channels((run,), RATED_AH)
    refused = refusal(run)
    assert refused.column == "current_a"
    assert "discharges 0.00 Ah" in str(refused)
    assert "current > 0 charges" in str(refused)


def test_the_charge_after_a_real_discharge_alone_is_refused(reference: Mapping[tuple[str, str], Recording]) -> None:
    recording = reference["dev_new", "slow_discharge"]
    run = recording.run.part(int(np.argmin(recording.run.charge_ah)), len(recording.run))
    assert run.charge_ah[-1] > 100
    refused = refusal(run, rated_ah=recording.rated_ah)
    assert refused.column == "current_a"
    assert "current > 0 charges" in str(refused)


@pytest.mark.parametrize("name", ["slow", "fast", "pulses"])
def test_a_tenfold_current_is_refused_by_what_it_discharges(calibration: Mapping[str, Recording], name: str) -> None:
    refused = refusal(scaled(calibration[name].run, current=10.0), rated_ah=120.0)
    assert refused.column == "current_a"
    assert "Ah of a block of 120 Ah: check the rated capacity and the scale of the current" in str(refused)


@pytest.mark.parametrize("name", ["slow", "fast"])
def test_a_tenth_of_the_current_is_refused_when_it_empties_the_block(
    calibration: Mapping[str, Recording], name: str
) -> None:
    refused = refusal(scaled(calibration[name].run, current=0.1), rated_ah=120.0)
    assert refused.column == "current_a"
    assert "of 120 Ah rated: check the rated capacity and the scale of the current" in str(refused)


@pytest.mark.parametrize(("cycle", "factor"), [(2, 10.0), (2, 0.1), (6, 10.0), (6, 0.1)])
def test_another_scale_of_the_current_of_a_real_recording_is_refused(
    real: Mapping[int, RecordedRun], cycle: int, factor: float
) -> None:
    refused = refusal(scaled(real[cycle], current=factor), rated_ah=17.0)
    assert refused.column == "current_a"
    assert "check the rated capacity and the scale of the current" in str(refused)


@pytest.mark.parametrize("rated_ah", [10.0, 100.0])
def test_another_rated_capacity_is_refused(real: Mapping[int, RecordedRun], rated_ah: float) -> None:
    refused = refusal(real[2], rated_ah=rated_ah)
    assert refused.column == "current_a"
    assert "check the rated capacity" in str(refused)


def test_runs_of_two_blocks_are_refused(reference: Mapping[tuple[str, str], Recording]) -> None:
    new, aged = (reference[block, "slow_discharge"].run for block in ("dev_new", "dev_aged_far"))
    refused = refusal(new, aged, rated_ah=120.0)
    assert refused.column == "current_a"
    assert "they are not of one block, or a current is scaled wrongly" in str(refused)
    assert re.search(r"runs 2 and 1 show capacities of 79\.\d Ah and 122\.\d Ah", str(refused))


def test_discharges_of_one_block_agree_at_every_rate(reference: Mapping[tuple[str, str], Recording]) -> None:
    names = ("slow_discharge", "mixed_duty", "hour_discharge", "fast_discharge")
    runs = tuple(reference["dev_new", name].run for name in names)
    cut_offs = find_cut_offs(runs, np.ones(len(runs)), 120.0)
    assert len(cut_offs) >= 2
    check_cut_offs(cut_offs, RATED_AH)


@pytest.mark.parametrize(("delivered_ah", "refused"), [(88.0, False), (86.0, True), (114.0, False), (116.0, True)])
def test_counts_of_one_block_agree_to_a_seventh(delivered_ah: float, refused: bool) -> None:
    both = (cut_off(100.0), cut_off(delivered_ah))
    if refused:
        with pytest.raises(RunInvalid, match="not of one block"):
            check_cut_offs(both, RATED_AH)
    else:
        check_cut_offs(both, RATED_AH)


def test_no_discharge_to_cut_off_contradicts_nothing() -> None:
    check_cut_offs((), RATED_AH)
    check_cut_offs((cut_off(10.0),), RATED_AH)


@pytest.mark.parametrize("c_rate", [0.1, 0.2])
def test_a_discharge_at_one_current_from_its_first_row_passes(c_rate: float) -> None:
    check_channels((simple_run((0.7 / c_rate, -c_rate * RATED_AH)),), RATED_AH)


def test_a_discharge_that_begins_under_load_and_ends_at_rest_passes(
    reference: Mapping[tuple[str, str], Recording],
) -> None:
    for block, profile, start in (("dev_corroded", "fast_discharge", 361), ("dev_aged_far", "part_charged", 320)):
        recording = reference[block, profile]
        check_channels((recording.run.part(start, len(recording.run)),), recording.rated_ah)


def test_a_reversed_discharge_to_cut_off_must_change_its_sign(calibration: Mapping[str, Recording]) -> None:
    refused = refusal(scaled(calibration["slow"].run, current=-1.0), rated_ah=120.0)
    assert "change its sign" in str(refused)


def test_one_block_in_the_cold_and_in_the_heat_is_one_block() -> None:
    cold, hot = replace(cut_off(91.0), temperature_c=10.0), replace(cut_off(106.0), temperature_c=35.0)
    check_cut_offs((cold, hot), RATED_AH)
