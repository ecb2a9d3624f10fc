"""Channels spoiled as in the field, on real recordings: refused or wide, and never narrow and wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.identification.channels import check_channels
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun, RunInvalid, read_run

RECORDINGS = Path(__file__).parent / "data" / "vrla_recording"
RATED_AH = 17.0
NARROW = 3.29
"""An error beyond this many stated deviations is one in a thousand, if these are right."""

Fault = Callable[[RecordedRun], RecordedRun]


def current(factor: float, offset_a: float = 0.0) -> Fault:
    return lambda run: replace(run, current_a=factor * run.current_a + offset_a)


def voltage(factor: float, offset_v: float = 0.0) -> Fault:
    return lambda run: replace(run, voltage_v=factor * run.voltage_v + offset_v)


def stuck_current(run: RecordedRun) -> RecordedRun:
    return replace(run, current_a=np.full(len(run), run.current_a[len(run) // 4]))


def stuck_voltage(run: RecordedRun) -> RecordedRun:
    return replace(run, voltage_v=np.full(len(run), run.voltage_v[len(run) // 4]))


REFUSED: dict[str, tuple[Fault, str]] = {
    "current reversed": (current(-1.0), "current_a"),
    "current in mA over ten": (current(100.0), "current_a"),
    "current ten times": (current(10.0), "current_a"),
    "current twice": (current(2.0), "current_a"),
    "current a tenth": (current(0.1), "current_a"),
    "current dead": (current(0.0), "current_a"),
    "current stuck": (stuck_current, "current_a"),
    "voltage dead": (voltage(0.0), "voltage_v"),
    "voltage stuck": (stuck_voltage, "voltage_v"),
    "voltage stuck at float": (voltage(0.0, 13.5), "voltage_v"),
    "voltage of a cell": (voltage(1 / 6), "voltage_v"),
    "voltage of two blocks": (voltage(2.0), "voltage_v"),
}

WIDE: dict[str, Fault] = {
    "cell shorted": voltage(1.0, -2.1),
    "voltage a twentieth high": voltage(1.05),
    "current off by 1 A": current(1.0, 1.0),
    "temperature dead": lambda run: replace(run, temperature_c=np.full(len(run), -40.0)),
    "voltage noisy": lambda run: replace(
        run, voltage_v=run.voltage_v + np.random.default_rng(1).normal(0.0, 0.3, len(run))
    ),
}


@pytest.fixture(scope="module", params=[2, 6])
def run(request: pytest.FixtureRequest) -> RecordedRun:
    return read_run(RECORDINGS / f"bboxx_A_cycle{request.param}.csv.gz")


def test_the_recordings_themselves_pass(run: RecordedRun) -> None:
    check_channels((run,), RATED_AH)


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_block_can_show_is_refused_by_its_channel(run: RecordedRun, name: str) -> None:
    spoil, column = REFUSED[name]
    with pytest.raises(RunInvalid) as refused:
        check_channels((spoil(run),), RATED_AH)
    assert refused.value.column == column


@pytest.mark.parametrize("name", WIDE)
def test_what_a_block_could_show_is_never_narrow_and_wrong(run: RecordedRun, name: str) -> None:
    end = int(np.argmin(run.charge_ah))
    delivered_ah = -float(run.charge_ah[end])
    true_soc = np.clip(1 + run.charge_ah / delivered_ah, 0, 1)
    estimates = replay(WIDE[name](run), data_sheet_parameters(RATED_AH), 0.8)
    settled = run.time_s > 900.0
    error, sd = np.abs(estimates.soc - true_soc)[settled], estimates.soc_sd[settled]
    assert np.mean((error > NARROW * sd) & (error > 0.05)) < 0.07
    assert abs(estimates.soh[-1] - delivered_ah / RATED_AH) < NARROW * estimates.soh_sd[-1]
