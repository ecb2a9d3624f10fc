"""Other users reach a folder below closed ones, and the closed ones stay as they are."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from battery_launcher.private_passage import closed_above
from tests.conftest import Launcher

IS_ROOT = os.geteuid() == 0
OTHER = "nobody"
LOOK = """
import json, os, sys
from pathlib import Path
wanted, closed = Path(sys.argv[1]), Path(sys.argv[2])
(wanted / "written").write_text("by another user")
print(json.dumps([os.getuid(), os.getgroups(), (wanted / "kept").read_text(), (closed / "private").exists()]))
"""


@pytest.fixture
def closed() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="closed-") as folder:
        path = Path(folder)
        (path / "private").write_text("of the owner")
        (path / "between").mkdir(mode=0o700)
        wanted = path / "between" / "wanted"
        wanted.mkdir()
        wanted.chmod(0o777)
        (wanted / "kept").write_text("for both")
        (wanted / "kept").chmod(0o644)
        yield path


def run_as_other(folder: Path, closed: Path, recipe: Path) -> subprocess.CompletedProcess[str]:
    # The system's own interpreter: the environment of the tests may itself lie below a closed folder.
    command = ["/usr/bin/env", "python3", "-c", LOOK, str(folder), str(closed)]
    content = {
        "command": command,
        "environment": {"PATH": os.defpath},
        "user": OTHER,
        "folders": [str(folder)],
        "end_signal": "SIGTERM",
        "directory": "/",
    }
    recipe.write_text(json.dumps(content))
    attached = [sys.executable, "-m", "battery_launcher.attached", str(recipe)]
    return subprocess.run(attached, check=False, capture_output=True, text=True)


def test_closed_folders_are_found_topmost_first(closed: Path) -> None:
    assert closed_above([closed / "between" / "wanted"])[-2:] == [closed, closed / "between"]
    assert closed not in closed_above([closed])


def test_another_user_reaches_the_folder_and_nothing_beside_it(closed: Path, tmp_path: Path) -> None:
    wanted = closed / "between" / "wanted"
    done = run_as_other(wanted, closed, tmp_path / "recipe.json")
    if not IS_ROOT:
        # Only root may become somebody else; everybody else runs the database as themselves.
        assert "PermissionError" in done.stderr
        return
    user, groups, kept, sees_private = json.loads(done.stdout)
    assert user != 0
    assert groups == []
    assert kept == "for both"
    assert not sees_private
    assert (wanted / "written").read_text() == "by another user"
    assert [folder.stat().st_mode & 0o777 for folder in (closed, closed / "between")] == [0o700, 0o700]
    assert (closed / "private").read_text() == "of the owner"


def test_a_launch_opens_no_folder_above_its_own(start_launcher: Launcher, data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    launched = start_launcher(BATTERY_HISTORY_DAYS="0")
    launched.wait_until_up()
    assert data_dir.parent.stat().st_mode & 0o777 == 0o700
    launched.stop()
    assert launched.process.returncode == 0
