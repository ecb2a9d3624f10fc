"""A location of 48 V rectifiers: strings of four blocks, through the world, the daily tables and the checks."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from battery_synth.block.charger import set_point_v
from battery_synth.datasets import fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.realism.checks.readings import StringSamples
from battery_synth.realism.string_days import StringDays
from battery_synth.realism.tables import DatasetTables

BLOCKS, SEED = 4, 1
LOCATION = "DC-HDY-01"


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


def telecom(spec: DatasetSpec) -> DatasetSpec:
    """Return a set with the rectifiers alone, of strings of four blocks and with the load of a block kept."""
    rows = [row for row in spec.fleet if "-REC-" in row.string_id and int(row.battery_id[-3:]) <= BLOCKS]
    power = [row.model_copy(update={"rated_power_kva": row.rated_power_kva * BLOCKS / 24.0}) for row in rows]
    return replace(spec, fleet=tuple(power))


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    folder = tmp_path_factory.mktemp("telecom") / "set"
    spec = fleets.fleet(SEED, start=date(2025, 10, 1), days=40, every_s=1800.0, detail=True, locations=[LOCATION])
    make_dataset(replace(telecom(spec), with_sensor_faults=False), folder, progress=nothing)
    return DatasetTables.open(folder)


@pytest.fixture(scope="module")
def samples(readings: DatasetTables) -> StringSamples:
    return StringSamples.of(readings)


def test_strings_of_four_add_up_and_float_at_54_volts(samples: StringSamples) -> None:
    assert samples.blocks_v is not None
    assert samples.blocks_v.shape[1] == BLOCKS
    np.testing.assert_allclose(samples.blocks_v.sum(axis=1), samples.voltage_v, rtol=0.01)
    floating = samples.voltage_v[samples.mode == "float"]
    warm, cold = (set_point_v(6.0 * BLOCKS, celsius, 0.0) for celsius in (35.0, 18.0))
    assert warm - 0.1 < floating.min() <= floating.max() < cold + 0.1
    assert np.nanmedian(floating) == pytest.approx(54.6, abs=0.5)


def test_a_block_of_four_bears_the_load_of_one_of_twenty_four(samples: StringSamples) -> None:
    working = samples.mode == "discharge"
    assert working.sum() > 20
    drawn_a = -samples.current_a[working]
    # C/20 to C/8 of 120 Ah, a fifth more where the voltage has fallen.
    assert 4.0 < np.median(drawn_a) < 18.0
    assert (samples.voltage_v[working] > 10.0 * BLOCKS).all()
    fall_v = samples.voltage_v[samples.mode == "float"].mean() - samples.voltage_v[working].mean()
    # At least the current times 2.7 mOhm, the least of a sound block; at most that of 24 blocks.
    assert BLOCKS * 2.7e-3 * drawn_a.mean() < fall_v < 24 * 3.5e-3 * drawn_a.mean()


def test_ripple_voltage_is_that_of_four_blocks(readings: DatasetTables) -> None:
    rows = readings.read("string_telemetry", ["ripple_voltage_v", "ripple_current_a"])
    ripple_v, ripple_a = (rows[name].to_numpy() for name in ("ripple_voltage_v", "ripple_current_a"))
    assert np.median(ripple_v / ripple_a) == pytest.approx(0.084 * BLOCKS / 24.0, abs=0.0015)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    folder = tmp_path_factory.mktemp("telecom") / "lives"
    spec = fleets.training(SEED, strings_per_location=9, years=0.5, start=date(2013, 1, 1), locations=[LOCATION])
    make_dataset(replace(telecom(spec), with_sensor_faults=False), folder, progress=nothing)
    return DatasetTables.open(folder)


def test_days_compare_a_block_with_the_three_others_of_its_string(lives: DatasetTables) -> None:
    path = next(entry["path"] for entry in lives.manifest["files"] if entry["table"] == "telemetry_daily")
    rows = pq.read_table(lives.folder / path, partitioning=None).to_pandas()
    groups = rows.groupby([rows.battery_id.astype(str).str[4:-4], "time"])
    assert (groups.size() == BLOCKS).all()
    assert groups.voltage_deviation_v.sum().abs().max() < 0.002
    for _, group in groups:
        centred = group.voltage_mean_v - group.voltage_mean_v.mean()
        np.testing.assert_allclose(group.voltage_deviation_v, centred, atol=0.002)
        # Population standard deviation of four blocks: a string of twenty-four has more to average.
        assert group.string_spread_v.iloc[0] == pytest.approx(centred.std(ddof=0), abs=0.01)
        for shared in ("string_spread_v", "float_current_ma", "discharge_ah", "discharge_s", "discharge_count"):
            assert group[shared].nunique(dropna=False) == 1


def test_days_of_strings_of_four_are_read(lives: DatasetTables) -> None:
    days = StringDays.of(lives)
    assert len(days.string_ids) == 3
    assert np.isfinite(days.block_v).mean() > 0.95
    assert 13.3 < np.nanmedian(days.block_v) < 13.9
