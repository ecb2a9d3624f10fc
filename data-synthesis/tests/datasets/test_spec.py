"""Specifications: what cannot be made is refused, and the digest tells any two of them apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts.enums import SystemKind
from battery_contracts.fleet import FleetRow
from battery_synth.block import electrics
from battery_synth.datasets import fleets
from battery_synth.datasets.ohmic import resistance_25c_mohm
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.life.policy import PlannedMaintenance, RunToFailure
from battery_synth.outside import scenario
from battery_synth.state.readings import Sampling

START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def spec(fleet: Sequence[FleetRow]) -> DatasetSpec:
    return DatasetSpec("fleet", 1, START, START + timedelta(days=2), Sampling(60.0), tuple(fleet))


def test_spans_and_fleets_without_content_are_refused(spec: DatasetSpec) -> None:
    with pytest.raises(ValueError, match="at least one battery"):
        replace(spec, fleet=())
    for days in (0, -1):
        with pytest.raises(ValueError, match="longer than 0"):
            replace(spec, end=START + timedelta(days=days))
    with pytest.raises(ValueError, match="2011 to 2048"):
        replace(spec, start=datetime(2010, 12, 31, tzinfo=UTC))


def test_parts_hold_every_battery_once_and_whole_systems(spec: DatasetSpec) -> None:
    parts = spec.parts()
    batteries = [row.battery_id for part in parts for row in part.spec.fleet]
    assert sorted(batteries) == sorted(row.battery_id for row in spec.fleet)
    assert len({part.name for part in parts}) == len(parts)
    systems = [{row.system_id for row in part.spec.fleet} for part in parts]
    assert sum(len(own) for own in systems) == len(set().union(*systems))
    assert all({row.location_id for row in part.spec.fleet} == {part.location_id} for part in parts)


def test_every_argument_changes_the_digest(spec: DatasetSpec) -> None:
    at_s = START.timestamp()
    others = [
        replace(spec, seed=2),
        replace(spec, kind="training"),
        replace(spec, end=spec.end + timedelta(days=1)),
        replace(spec, sampling=Sampling(300.0)),
        replace(spec, sampling=Sampling(60.0, detail=True)),
        replace(spec, fleet=spec.fleet[24:]),
        replace(spec, file_format="csv"),
        replace(spec, with_sensor_faults=True),
        replace(spec, scenario=scenario.named("power_outage", at_s, 60.0)),
        replace(spec, scenario=scenario.named("power_outage", at_s, 61.0)),
    ]
    digests = [each.digest() for each in (spec, *others)]
    assert len(set(digests)) == len(digests)
    assert replace(spec).digest() == spec.digest()


def test_training_runs_to_failure_and_other_sets_are_maintained(spec: DatasetSpec) -> None:
    assert isinstance(replace(spec, kind="training").policy, RunToFailure)
    assert isinstance(spec.policy, PlannedMaintenance)
    assert spec.arguments()["scenario"] is None


@given(new_mohm=st.floats(0.5, 30.0), temperature_c=st.floats(-10.0, 60.0))
def test_a_reading_of_a_full_block_is_referred_back_to_its_resistance_at_25_degrees(
    new_mohm: float, temperature_c: float
) -> None:
    read_mohm = electrics.ohmic_mohm(new_mohm, 1.0, temperature_c)
    assert resistance_25c_mohm(read_mohm, temperature_c) == pytest.approx(new_mohm, rel=1e-9)
    columns = resistance_25c_mohm(np.array([read_mohm, np.nan]), np.array([temperature_c, 25.0]))
    assert columns[0] == pytest.approx(new_mohm, rel=1e-9)
    assert np.isnan(columns[1])


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 20, 27])
def test_a_third_of_the_training_strings_are_rectifiers_and_all_of_a_kind_work_alike(count: int) -> None:
    rows = fleets.training(1, strings_per_location=count, years=1, start=date(2013, 1, 1)).fleet
    heads = {row.string_id: row for row in rows}
    assert len(heads) == 9 * count
    rectifiers = [row for row in heads.values() if row.system_kind is SystemKind.RECTIFIER]
    assert len(rectifiers) == 9 * (count // 3)
    strings_of = Counter(row.system_id for row in heads.values())
    for row in heads.values():
        is_rectifier = row.system_kind is SystemKind.RECTIFIER
        assert strings_of[row.system_id] <= (3 if is_rectifier else 6)
        assert row.rated_power_kva / strings_of[row.system_id] == pytest.approx(5.0 if is_rectifier else 200.0 / 6)
        assert ("-REC-" in row.string_id) == is_rectifier
