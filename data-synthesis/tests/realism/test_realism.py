"""The realism checks pass on generated data and fail on corrupted data: a check that cannot fail is useless."""

import shutil
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from battery_synth.cli import app
from battery_synth.datasets import fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.realism import checks as realism
from battery_synth.realism.checks import RealismCheck
from battery_synth.realism.quality import quality_of
from battery_synth.realism.survival import SurvivalTimes, lives_of, median_age_days, rate_per_year, survival
from battery_synth.realism.tables import DatasetTables, NotADataset, Population, population

SEED = 1


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    folder = tmp_path_factory.mktemp("readings") / "set"
    spec = fleets.fleet(SEED, start=date(2025, 5, 1), days=20, every_s=1800.0, detail=True, locations=["DC-KKN-01"])
    make_dataset(spec, folder, progress=nothing)
    return DatasetTables.open(folder)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    folder = tmp_path_factory.mktemp("lives") / "set"
    spec = fleets.training(
        SEED, strings_per_location=6, years=12, start=date(2013, 1, 1), locations=["DC-BKK-02", "DC-SRC-01"]
    )
    make_dataset(spec, folder, progress=nothing)
    return DatasetTables.open(folder)


@pytest.fixture(scope="module")
def seen(lives: DatasetTables) -> Population:
    return population(lives)


def require(found: list[RealismCheck]) -> None:
    assert not [f"{check.name}: {check.measured}, not {check.limit}" for check in found if not check.passed]


def named(found: list[RealismCheck], part: str) -> RealismCheck:
    (check,) = [check for check in found if part in check.name]
    return check


def test_physics_climate_and_mains_hold() -> None:
    require([*realism.physics_checks(), *realism.climate_checks(SEED), *realism.grid_checks(SEED)])


def test_readings_hold(readings: DatasetTables) -> None:
    found = list(realism.reading_checks(readings))
    assert len(found) == 5
    require(found)


def test_resistance_and_capacity_hold_over_lives_run_to_their_end(seen: Population) -> None:
    found = list(realism.population_checks(seen))
    assert len(found) == 3
    require(found)


def test_a_population_does_not_depend_on_the_pieces_it_is_read_in(
    lives: DatasetTables, seen: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DatasetTables.batches

    def in_pieces(data: DatasetTables, table: str, columns: list[str]) -> Iterator[Any]:
        for batch in whole(data, table, columns):
            yield from (batch.slice(first, 4_999) for first in range(0, len(batch), 4_999))

    monkeypatch.setattr(DatasetTables, "batches", in_pieces)
    pieced = population(lives)
    for field in fields(Population):
        one, other = getattr(seen, field.name), getattr(pieced, field.name)
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-9)
        else:
            np.testing.assert_array_equal(one, other)


def test_a_truth_of_other_days_is_refused(lives: DatasetTables, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = DatasetTables.batches

    def without_some(data: DatasetTables, table: str, columns: list[str]) -> Iterator[Any]:
        batches = list(whole(data, table, columns))
        yield from batches if table == "telemetry_daily" else batches[:-1]

    monkeypatch.setattr(DatasetTables, "batches", without_some)
    with pytest.raises(NotADataset, match="different days"):
        population(lives)


def test_failure_rates_hold(lives: DatasetTables) -> None:
    require(list(realism.life_checks(lives_of(lives))))


def corrupted(readings: DatasetTables, folder: Path, column: str, change: object) -> DatasetTables:
    """Return a copy of a set with one column changed in its block and string readings."""
    shutil.copytree(readings.folder, folder)
    for table in ("telemetry", "string_telemetry"):
        for path in (folder / table).rglob("*.parquet"):
            rows = pq.read_table(path, partitioning=None)
            if column in rows.column_names:
                values = rows[column].to_numpy(zero_copy_only=False)
                changed = pa.array(change(values.copy(), table), rows.schema.field(column).type)  # type: ignore[operator]
                pq.write_table(
                    rows.set_column(rows.column_names.index(column), rows.schema.field(column), changed), path
                )
    return DatasetTables.open(folder)


def test_float_without_its_physics_is_found_out(readings: DatasetTables, tmp_path: Path) -> None:
    # Rest voltage on float: the error of an earlier public attempt.
    low = corrupted(
        readings, tmp_path / "low", "voltage_v", lambda v, table: v - (0.9 if table == "telemetry" else 21.6)
    )
    assert not named(list(realism.reading_checks(low)), "13.4 to 13.9").passed


def test_blocks_that_do_not_add_up_are_found_out(readings: DatasetTables, tmp_path: Path) -> None:
    off = corrupted(
        readings, tmp_path / "off", "voltage_v", lambda v, table: v * (1.02 if table == "telemetry" else 1.0)
    )
    assert not named(list(realism.reading_checks(off)), "sum of blocks").passed


def test_float_current_of_amperes_is_found_out(readings: DatasetTables, tmp_path: Path) -> None:
    high = corrupted(readings, tmp_path / "high", "float_current_ma", lambda v, _table: v * 15.0)
    assert not named(list(realism.reading_checks(high)), "20 to 150").passed


def test_a_wrong_sign_is_found_out(readings: DatasetTables, tmp_path: Path) -> None:
    turned = corrupted(readings, tmp_path / "turned", "current_a", lambda v, _table: -v)
    assert not named(list(realism.reading_checks(turned)), "current in recharge").passed


def test_voltage_that_does_not_fall_in_a_discharge_is_found_out(readings: DatasetTables, tmp_path: Path) -> None:
    # The sign of the current in V = OCV + I R turned round.
    def raised(values: np.ndarray, table: str) -> np.ndarray:
        return np.where(values < 13.3, 13.8, values) if table == "telemetry" else values

    high = corrupted(readings, tmp_path / "high", "voltage_v", raised)
    assert not named(list(realism.reading_checks(high)), "in discharge").passed


def test_resistance_that_reveals_the_capacity_is_found_out(seen: Population) -> None:
    leaked = replace(seen, growth=1.6 * (1.0 - seen.health))
    found = list(realism.population_checks(leaked))
    assert not named(found, "correlation").passed
    assert not named(found, "below 80 %").passed
    alarming = replace(seen, growth=seen.growth + 0.15)
    assert not named(list(realism.population_checks(alarming)), "above 90 %").passed
    useless = replace(seen, growth=np.random.default_rng(1).normal(0.0, 0.1, len(seen.health)))
    assert not named(list(realism.population_checks(useless)), "correlation").passed


def test_failures_by_the_minute_and_none_at_all_are_found_out() -> None:
    count = 500
    first, last = np.zeros(count), np.full(count, 3000.0)
    immortal = SurvivalTimes(first, last, np.zeros(count, bool), np.full(count, "X"))
    assert not any(check.passed for check in realism.life_checks(immortal))
    rash = SurvivalTimes(first, np.linspace(1, 400, count), np.ones(count, bool), np.full(count, "X"))
    assert not named(list(realism.life_checks(rash)), "first two years").passed


def test_survival_is_that_of_a_known_law() -> None:
    random = np.random.default_rng(3)
    age = 2000.0 * random.weibull(3.5, 4000)
    entry, end = random.uniform(0, 600, 4000), 2500.0
    keep = age > entry
    known = SurvivalTimes(entry[keep], np.minimum(age, end)[keep], (age <= end)[keep], np.full(keep.sum(), "X"))
    assert median_age_days(known) == pytest.approx(2000.0 * np.log(2.0) ** (1 / 3.5), rel=0.02)
    ages, curve = survival(known)
    np.testing.assert_allclose(curve, np.exp(-((ages / 2000.0) ** 3.5)), atol=0.03)
    exposed = rate_per_year(known, 900.0, 1100.0)
    assert exposed == pytest.approx(3.5 / 2000.0 * (1000.0 / 2000.0) ** 2.5 * 365.25, rel=0.2)


def test_quality_counts_what_is_missing_and_repeated(readings: DatasetTables) -> None:
    quality = quality_of(readings)
    assert quality.repeats == 0
    assert 0.0 <= quality.absent < 0.02
    by_name = {channel.name: channel for channel in quality.channels}
    assert by_name["voltage_v"].missing < 0.01
    assert by_name["internal_resistance_mohm"].missing > 0.9
    assert all(channel.out_of_range == 0.0 for channel in quality.channels)


def test_report_is_one_page_with_every_check_and_picture(
    readings: DatasetTables, lives: DatasetTables, tmp_path: Path
) -> None:
    arguments = ["report", "--out", str(tmp_path / "r.html"), "--seed", str(SEED)]
    result = CliRunner().invoke(app, [*arguments, "--data", str(readings.folder), "--training", str(lives.folder)])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "r.html").read_text()
    assert page.count("<svg") == 7
    assert page.count(">holds<") == 9 + 3 + 5 + 6
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_what_was_not_given_is_not_checked(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "r.html")])
    assert result.exit_code == 0
    assert (tmp_path / "r.html").read_text().count("not checked:") == 3


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADataset, match="no complete dataset"):
        DatasetTables.open(tmp_path)
    result = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "r.html"), "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "no complete dataset" in result.stderr
