"""Training on worlds that a stand-in makes: commands, and what they leave."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAIN = [str(Path(sys.executable).with_name("battery-ml")), "train"]


def synth(mode: str) -> list[str]:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.support.fake_synth import main; main()"
    return [sys.executable, "-c", code, mode]


def left_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "worlds").iterdir() if path.is_dir()]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pid_of(folder: Path) -> int:
    wait_for(lambda: any(path.read_text() for path in folder.glob("worlds/job-*/world-1/pid")))
    return int(next(folder.glob("worlds/job-*/world-1/pid")).read_text())


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0])


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
