"""The twin on blocks of another physics: what `docs/reference-set.md` promises, on one draw of sensor errors."""

from collections.abc import Callable

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun
from tests.reference.judge import Judged, figures, judge
from tests.reference.recordings import load
from tests.reference.report import calibrated_set, from_full

PROFILES = (
    "slow_discharge", "fast_discharge", "hour_discharge", "outages", "mixed_duty", "part_charged", "generator_tests",
)  # fmt: skip


@pytest.fixture(scope="module", params=["development", "test"])
def calibrated(request: pytest.FixtureRequest) -> list[Judged]:
    recordings = load(str(request.param))
    parameters = calibrated_set(recordings)
    cases = [recording for recording in recordings if not recording.profile.startswith("calibration")]
    return [judge(case, parameters, number) for number, case in enumerate(cases)]


def test_charge_is_known_to_two_and_a_half_points(calibrated: list[Judged]) -> None:
    assert figures(calibrated).soc_rmse <= 2.5


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_is_better_served_by_a_naive_estimate(calibrated: list[Judged], profile: str) -> None:
    found = figures(case for case in calibrated if case.recording.profile == profile)
    assert found.soc_rmse < found.naive_rmse


def test_capacity_is_known_to_four_points_after_a_discharge_from_full(calibrated: list[Judged]) -> None:
    found = figures(from_full(calibrated))
    assert found.soh_mae <= 4.0
    assert abs(found.soh_bias) <= 2.5


@pytest.mark.parametrize("kind", ["new", "aged", "corroded", "sulfated", "dried_out"])
def test_no_kind_of_damage_is_called_healthy(calibrated: list[Judged], kind: str) -> None:
    found = figures(case for case in from_full(calibrated) if case.recording.kind == kind)
    assert found.soh_bias < 6.0


def test_a_discharge_to_its_cut_off_measures_capacity(calibrated: list[Judged]) -> None:
    errors = [case.soh_error for case in calibrated if case.recording.profile == "slow_discharge"]
    assert np.abs(errors).mean() < 0.02
    assert np.abs(errors).max() < 0.04


@pytest.mark.parametrize("chosen", [lambda cases: cases, from_full], ids=["charge", "capacity"])
def test_intervals_hold_as_often_as_stated(
    calibrated: list[Judged], chosen: Callable[[list[Judged]], list[Judged]]
) -> None:
    found = figures(chosen(calibrated))
    assert 0.85 <= found.soc_inside <= 0.99
    assert found.soh_inside >= 0.85


def test_a_shallow_discharge_leaves_capacity_at_its_prior(calibrated: list[Judged]) -> None:
    shallow = [case for case in calibrated if case.recording.profile == "generator_tests"]
    assert all(case.soh_sd > 0.12 for case in shallow)


def test_a_data_sheet_alone_is_wide_where_it_is_wrong() -> None:
    recordings = [recording for recording in load("development") if not recording.profile.startswith("calibration")]
    sheet = data_sheet_parameters(recordings[0].rated_ah)
    judged = [judge(case, sheet, number) for number, case in enumerate(recordings)]
    assert figures(from_full(judged)).soh_inside >= 0.9
    assert figures(judged).soc_inside >= 0.8


@pytest.mark.parametrize("rest_v", [10.9, 11.6, 12.1])
def test_what_a_block_does_after_its_cut_off_does_not_change_what_it_delivered(rest_v: float) -> None:
    recordings = load("development")
    parameters = calibrated_set(recordings)
    for recording in (one for one in recordings if one.profile == "slow_discharge"):
        end = int(np.flatnonzero(recording.run.current_a < -0.02 * recording.rated_ah)[-1]) + 1
        down, minutes = recording.run.part(0, end), np.arange(1, 181)
        columns = {
            "time_s": np.concatenate([down.time_s, down.time_s[-1] + 60.0 * minutes]),
            "voltage_v": np.concatenate([down.voltage_v, np.full(len(minutes), rest_v)]),
            "current_a": np.concatenate([down.current_a, np.zeros(len(minutes))]),
            "temperature_c": np.concatenate([down.temperature_c, np.full(len(minutes), 25.0)]),
        }
        soh = replay(RecordedRun.of(columns), parameters, 1.0).soh
        assert abs(soh[end] - recording.soh) < 0.03
        assert np.abs(soh[end:] - soh[end]).max() < 1e-3
