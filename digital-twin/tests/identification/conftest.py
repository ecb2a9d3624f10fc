"""The recordings of two blocks, and what is identified from them: read and fitted once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from battery_twin.identification.fit import Fit, identify
from battery_twin.runs import RecordedRun, read_run
from tests.reference.judge import Recording
from tests.reference.recordings import load

RECORDINGS = Path(__file__).parents[1] / "data" / "vrla_recording"


@pytest.fixture(scope="session")
def reference() -> Mapping[tuple[str, str], Recording]:
    """The recordings of the development half by block and profile."""
    return {(recording.block, recording.profile): recording for recording in load("development")}


@pytest.fixture(scope="session")
def calibration(reference: Mapping[tuple[str, str], Recording]) -> Mapping[str, Recording]:
    """The recordings slow, fast and pulses of the new block of 120 Ah rated."""
    return {name: reference["dev_new", f"calibration_{name}"] for name in ("slow", "fast", "pulses")}


@pytest.fixture(scope="session")
def calibrated(calibration: Mapping[str, Recording]) -> Mapping[str, Fit]:
    """The fit of each calibration recording alone, and of the slow and the fast one together."""
    fits = {name: identify((recording.run,), recording.rated_ah) for name, recording in calibration.items()}
    return fits | {"both": identify((calibration["slow"].run, calibration["fast"].run), 120.0)}


@pytest.fixture(scope="session")
def real() -> Mapping[int, RecordedRun]:
    """The recorded cycles of the block of 17 Ah, each one discharge from full to its cut-off."""
    return {cycle: read_run(RECORDINGS / f"bboxx_A_cycle{cycle}.csv.gz") for cycle in (2, 6)}


@pytest.fixture(scope="session")
def real_fits(real: Mapping[int, RecordedRun]) -> Mapping[int, Fit]:
    """The fit of each recorded cycle alone."""
    return {cycle: identify((run,), 17.0) for cycle, run in real.items()}
