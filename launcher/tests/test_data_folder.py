import os
import subprocess
import sys
from pathlib import Path

import pytest

from battery_launcher.data_folder import DataFolder, Steps, write_private
from battery_launcher.errors import LaunchFailed

HOLDER = """
import sys
from pathlib import Path
from battery_launcher.data_folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
with folder.locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.create()
    return made


def start_holder(folder: DataFolder) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_process_is_refused_by_the_id_of_the_first(folder: DataFolder) -> None:
    holder = start_holder(folder)
    try:
        with pytest.raises(LaunchFailed, match=rf"already running on .* \(process {holder.pid}\)"), folder.locked():
            pytest.fail("two launchers hold the same folder")
    finally:
        holder.kill()
        holder.communicate()


def test_the_lock_of_a_killed_process_is_free(folder: DataFolder) -> None:
    holder = start_holder(folder)
    holder.kill()
    holder.communicate()
    with folder.locked():
        assert (folder.root / "lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_released_at_the_end_also_of_a_failure(folder: DataFolder) -> None:
    def fail() -> None:
        with folder.locked():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert folder.is_ours
    holder = start_holder(folder)
    holder.kill()
    holder.communicate()


def test_folders_are_private(folder: DataFolder) -> None:
    others = 0o011 if os.geteuid() == 0 else 0
    assert folder.root.stat().st_mode & 0o777 == 0o700 | others
    for private in (folder.run, folder.logs):
        assert private.stat().st_mode & 0o777 == 0o700


def test_creating_again_keeps_what_is_there(folder: DataFolder) -> None:
    (folder.logs / "old.log").write_text("kept")
    folder.create()
    assert (folder.logs / "old.log").read_text() == "kept"


def test_only_a_folder_that_a_launch_locked_is_ours_and_all_of_it_is_removed(folder: DataFolder) -> None:
    assert not DataFolder(folder.root).is_ours
    with folder.locked():
        pass
    assert folder.is_ours
    outside = folder.root.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (folder.root / "link").symlink_to(outside)
    folder.remove()
    assert not folder.root.exists()
    assert (outside / "precious").read_text() == "kept"


def test_a_short_path_has_its_sockets_inside_and_a_long_one_elsewhere(tmp_path: Path) -> None:
    for root in (tmp_path / "d", tmp_path / ("long-" * 30)):
        folder = DataFolder(root)
        folder.create()
        with folder.socket_folder() as sockets:
            assert len(str(sockets / "supervisor.12345.socket")) <= 107
            assert sockets.is_dir()
        assert not sockets.exists()


def test_remains_of_an_earlier_launch_are_gone_from_the_sockets(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (tmp_path / "sockets").mkdir()
    (tmp_path / "sockets" / "supervisor").write_text("stale")
    with folder.socket_folder() as sockets:
        assert list(sockets.iterdir()) == []


def test_private_files_are_replaced_whole_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old and longer")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_a_kill_left_does_not_stop_the_next_write(tmp_path: Path) -> None:
    (tmp_path / f".secret.{os.getpid()}").write_text("torn")
    write_private(tmp_path / "secret", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("text", [None, "", "{torn", "[]", '"text"', "\x00"])
def test_unreadable_records_are_empty(folder: DataFolder, text: str | None) -> None:
    if text is not None:
        (folder.root / "record.json").write_text(text)
    assert folder.read_json("record.json") == {}


def test_completed_steps_survive_a_kill_and_others_do_not_appear(folder: DataFolder) -> None:
    program = (
        "import os, sys; from pathlib import Path; from battery_launcher.data_folder import DataFolder, Steps\n"
        "steps = Steps(DataFolder(Path(sys.argv[1])), None); steps.mark('one'); steps.mark('two'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder.root)], check=False).returncode == 9
    steps = Steps(folder, None)
    assert (steps.is_done("one"), steps.is_done("two"), steps.is_done("three")) == (True, True, False)
    steps.mark("three")
    assert folder.read_json("steps.json") == {"database": "embedded", "done": ["one", "three", "two"]}


def test_the_record_of_steps_does_not_contain_the_database_url(folder: DataFolder) -> None:
    url = "postgresql://user:swordfish@db/battery"
    Steps(folder, url).mark("one")
    assert "swordfish" not in (folder.root / "steps.json").read_text()
    assert Steps(folder, url).is_done("one")
    assert not Steps(folder, url + "2").is_done("one")


@pytest.mark.parametrize("record", ['{"done": ["one"]}', '{"database": "embedded", "done": "one"}', "{}"])
def test_a_damaged_record_of_steps_counts_as_nothing_done(folder: DataFolder, record: str) -> None:
    (folder.root / "steps.json").write_text(record)
    assert not Steps(folder, None).is_done("one")
