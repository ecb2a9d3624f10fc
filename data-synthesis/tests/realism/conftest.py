"""One set of readings and one of lives for all tests of realism."""

from datetime import date
from pathlib import Path

import pytest

from battery_synth.datasets import fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.outside.locations import LOCATIONS
from battery_synth.realism.tables import DatasetTables

SEED = 1
ROOMS = [location.code for location in LOCATIONS[:6]]


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


def readings_of(folder: Path, seed: int) -> DatasetTables:
    spec = fleets.fleet(seed, start=date(2025, 5, 1), days=20, every_s=1800.0, detail=True, locations=["DC-KKN-01"])
    make_dataset(spec, folder, progress=nothing)
    return DatasetTables.open(folder)


def lives_in(folder: Path, seed: int) -> DatasetTables:
    spec = fleets.training(seed, strings_per_location=2, years=10, start=date(2013, 1, 1), locations=ROOMS)
    make_dataset(spec, folder, progress=nothing)
    return DatasetTables.open(folder)


@pytest.fixture(scope="session")
def readings(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    return readings_of(tmp_path_factory.mktemp("readings") / "set", SEED)


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> DatasetTables:
    return lives_in(tmp_path_factory.mktemp("lives") / "set", SEED)
