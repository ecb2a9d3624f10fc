"""The reference set is what its description says: small, in two disjoint halves, and true to its own charge."""

import json

import numpy as np
import pytest

from tests.reference.judge import Recording
from tests.reference.recordings import FOLDER, load

KINDS = {"new", "aged", "corroded", "sulfated", "dried_out"}


@pytest.fixture(scope="module", params=["development", "test"])
def half(request: pytest.FixtureRequest) -> list[Recording]:
    return load(str(request.param))


def test_its_files_are_small() -> None:
    sizes = [file.stat().st_size for file in FOLDER.glob("*.parquet")]
    assert len(sizes) == 2
    assert max(sizes) < 2e6


def test_no_block_is_in_both_halves() -> None:
    blocks = json.loads((FOLDER / "blocks.json").read_text())
    halves = [{block.block for block in load(name)} for name in ("development", "test")]
    assert halves[0].isdisjoint(halves[1])
    assert halves[0] | halves[1] == set(blocks)


def test_a_half_holds_every_kind_and_the_calibration_of_its_new_block(half: list[Recording]) -> None:
    assert {recording.kind for recording in half} == KINDS
    calibrated = {recording.block for recording in half if recording.profile.startswith("calibration")}
    assert [recording.kind for recording in half if recording.block in calibrated][:1] == ["new"]
    assert len(calibrated) == 1


def test_a_discharge_takes_from_the_charge_what_its_current_counts(half: list[Recording]) -> None:
    for recording in half:
        moved_ah = np.diff(recording.run.charge_ah)
        discharging = (recording.run.current_a[1:] < -1) & (recording.run.current_a[:-1] < -1)
        stored_ah = recording.capacity_ah * np.diff(recording.soc)
        assert stored_ah[discharging].sum() == pytest.approx(moved_ah[discharging].sum(), rel=0.01, abs=0.2)


def test_a_slow_discharge_from_float_ends_empty_at_its_cut_off(half: list[Recording]) -> None:
    for recording in half:
        if recording.profile != "slow_discharge":
            continue
        end = int(np.argmin(recording.soc))
        assert recording.soc[0] == pytest.approx(1.0, abs=0.01)
        assert recording.soc[end] == pytest.approx(0.0, abs=0.02)
        assert recording.run.voltage_v[end] == pytest.approx(10.8, abs=0.1)


def test_a_faster_discharge_leaves_more_behind(half: list[Recording]) -> None:
    for block in {recording.block for recording in half}:
        left = {r.profile: r.soc.min() for r in half if r.block == block}
        assert left["slow_discharge"] < left["hour_discharge"] < left["fast_discharge"]


def test_damage_shows_as_it_does_in_real_blocks(half: list[Recording]) -> None:
    slow = {recording.kind: recording for recording in half if recording.profile == "slow_discharge"}
    soh = {kind: recording.soh for kind, recording in slow.items()}
    assert all(soh[kind] < soh["new"] for kind in KINDS - {"new"})
    # Float hides a block's state; the rest after the discharge shows weak or strong acid.
    volts = {kind: recording.run.voltage_v[0] for kind, recording in slow.items()}
    assert np.ptp(list(volts.values())) < 0.05
    sag = {}
    for kind, recording in slow.items():
        begins = int(np.argmax(recording.run.current_a < -1)) + 20
        sag[kind] = recording.run.voltage_v[begins]
    assert sag["sulfated"] < sag["corroded"] < sag["new"] < sag["dried_out"]
