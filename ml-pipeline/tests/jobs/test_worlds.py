"""Training on worlds that are made for it, by the command line."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from battery_ml.cli import app
from battery_ml.jobs.errors import RoomMissing, SynthesisMissing
from battery_ml.jobs.synthesis import find_synthesis, share_done
from battery_ml.jobs.worlds import ROOM_KEPT_BYTES, WorldPlan, WorldSource
from battery_ml.registry.store import Registry
from tests.support.fake_synth import FAILS, HANGS, WORKS
from tests.support.world_jobs import TRAIN, alive, left_in, pid_of, synth


def options(folder: Path, mode: str) -> list[str]:
    where = ["--registry", str(folder / "models"), "--scratch", str(folder / "worlds")]
    return ["--worlds", "2", "--seed", "5", "--trees", "30", *where, "--synth-command", shlex.join(synth(mode))]


def test_a_version_is_trained_on_all_worlds_which_are_deleted(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", *options(tmp_path, WORKS)])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    shares = [line["progress"] for line in lines]
    assert shares == sorted(shares)
    assert {line["step"] for line in lines} > {"world 1 of 2", "world 2 of 2", "trees", "published"}
    assert all(
        (line["progress"] <= 0.6) is line["step"].startswith("world") or line["progress"] == 0.6 for line in lines
    )
    made = [json.loads(line) for line in (tmp_path / "worlds" / "made").read_text().splitlines()]
    assert [int(one["--seed"]) for one in made] == WorldPlan(2).seeds(5)
    assert {(one["--strings-per-site"], one["--years"], one["--workers"]) for one in made} == {("6", "12", "1")}
    assert left_in(tmp_path) == []
    # Both worlds have 40 strings.
    split = Registry(str(tmp_path / "models")).manifest(lines[-1]["version"]).split
    assert sum(int(part.split()[-1]) for part in split.split(",")[1:]) == 80


def test_a_failed_generation_is_refused_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", *options(tmp_path, FAILS)])
    assert result.exit_code == 2
    assert "status 1: no wind in the sails" in result.stderr
    assert left_in(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("arguments", [[], ["--worlds", "2", "--dataset", "."]])
def test_a_dataset_or_worlds_are_needed(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["train", *arguments])
    assert (result.exit_code, "not both" in result.stderr) == (2, True)


def test_a_request_to_end_ends_the_generation_and_deletes_its_files(tmp_path: Path) -> None:
    with subprocess.Popen([*TRAIN, *options(tmp_path, HANGS)], stdout=subprocess.DEVNULL) as process:
        child = pid_of(tmp_path)
        assert alive(child)
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not alive(child)
    assert left_in(tmp_path) == []


def test_every_seed_gives_other_worlds_and_the_same_seed_the_same() -> None:
    seeds = [seed for request in range(200) for seed in WorldPlan(3).seeds(request)]
    assert len(set(seeds)) == len(seeds)
    assert WorldPlan(3).seeds(7) == WorldPlan(3).seeds(7)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_without_room_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = WorldSource(tmp_path / "worlds", tuple(synth(WORKS)))
    needed = source.plan.bytes_needed + ROOM_KEPT_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(0, 0, needed))
    source.check()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(0, 0, needed - 1))
    with pytest.raises(RoomMissing, match=r"3 worlds need 1\.\d GB .* name a dataset"):
        source.check()
    result = CliRunner().invoke(app, ["train", *options(tmp_path, WORKS)])
    assert (result.exit_code, "GB free" in result.stderr) == (0, False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(0, 0, 1000))
    result = CliRunner().invoke(app, ["train", *options(tmp_path, WORKS)])
    assert (result.exit_code, "GB free" in result.stderr) == (2, True)
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RoomMissing, match="cannot hold"):
        WorldSource(tmp_path / "file" / "worlds", tuple(synth(WORKS))).check()


def test_the_program_is_beside_the_interpreter_or_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(SynthesisMissing, match="name a dataset"):
        find_synthesis()
    for folder in ("path", "bin"):
        program = tmp_path / folder / "battery-synth"
        program.parent.mkdir()
        program.touch(mode=0o755)
        assert find_synthesis() == [str(program)]
    with pytest.raises(SynthesisMissing, match="other-synth"):
        find_synthesis(["other-synth"])


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ('{"phase": "generate", "done": 3, "total": 12}', 0.25),
        ('{"done": 3, "total": 0}', None),
        ('{"done": 13, "total": 12}', None),
        ('{"done": null, "total": 12}', None),
        ("[1]", None),
        ("12 lives in /tmp", None),
    ],
)
def test_only_valid_progress_is_read(line: str, share: float | None) -> None:
    assert share_done(line) == share
