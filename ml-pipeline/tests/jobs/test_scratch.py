"""Temporary folders, also those of processes that were killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from battery_ml.jobs.scratch import remove_leftovers, scratch_folder

HOLD = (
    "import sys, pathlib, time\n"
    "from battery_ml.jobs.scratch import scratch_folder\n"
    "with scratch_folder(pathlib.Path(sys.argv[1])) as folder:\n"
    "    (folder / 'lives').write_text('x')\n"
    "    print(folder, flush=True)\n"
    "    time.sleep(600)\n"
)


def folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()]


def test_a_folder_lasts_as_long_as_the_work(tmp_path: Path) -> None:
    parent = tmp_path / "data" / "worlds"
    with scratch_folder(parent) as folder:
        (folder / "lives").write_text("x")
        assert remove_leftovers(parent) == 1
        assert folders(parent) == [folder]
    assert folders(parent) == []


def test_a_folder_goes_with_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no trees"), scratch_folder(tmp_path):
        raise RuntimeError("no trees")
    assert folders(tmp_path) == []


def test_what_a_killed_process_leaves_is_removed_and_what_a_live_one_holds_is_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        with scratch_folder(tmp_path) as own:
            assert held.exists()
            assert own != held
        process.kill()
    assert held.exists()
    assert remove_leftovers(tmp_path) == 0
    assert folders(tmp_path) == []
