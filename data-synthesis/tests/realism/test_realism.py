"""What the checks read, the quality of readings, and the report."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from battery_synth.cli import app
from battery_synth.realism.quality import quality_of
from battery_synth.realism.survival import SurvivalTimes, median_age_days, rate_per_year, survival
from battery_synth.realism.tables import DatasetTables, NotADataset, Population, population

SEED = 1


@pytest.fixture(scope="module")
def seen(training: DatasetTables) -> Population:
    return population(training)


def test_a_population_does_not_depend_on_the_pieces_it_is_read_in(
    training: DatasetTables, seen: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DatasetTables.batches

    def in_pieces(data: DatasetTables, table: str, columns: list[str]) -> Iterator[Any]:
        for batch in whole(data, table, columns):
            yield from (batch.slice(first, 4_999) for first in range(0, len(batch), 4_999))

    monkeypatch.setattr(DatasetTables, "batches", in_pieces)
    pieced = population(training)
    for field in fields(Population):
        one, other = getattr(seen, field.name), getattr(pieced, field.name)
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-9)
        else:
            np.testing.assert_array_equal(one, other)


def test_a_truth_of_other_days_is_refused(training: DatasetTables, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = DatasetTables.batches

    def without_some(data: DatasetTables, table: str, columns: list[str]) -> Iterator[Any]:
        batches = list(whole(data, table, columns))
        yield from batches if table == "telemetry_daily" else batches[:-1]

    monkeypatch.setattr(DatasetTables, "batches", without_some)
    with pytest.raises(NotADataset, match="different days"):
        population(training)


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
    readings: DatasetTables, training: DatasetTables, tmp_path: Path
) -> None:
    arguments = ["report", "--out", str(tmp_path / "r.html"), "--seed", str(SEED)]
    result = CliRunner().invoke(app, [*arguments, "--data", str(readings.folder), "--training", str(training.folder)])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "r.html").read_text()
    assert page.count("<svg") == 7
    assert page.count(">holds<") == 7 + 6 + 2 + 3 + 1
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
