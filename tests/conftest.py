import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["battery_servicekit.testing.postgres", "battery_servicekit.testing.timescale"]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: the database's own user must be able to pass through when the suite runs as root.
    with tempfile.TemporaryDirectory(prefix="battery-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"
