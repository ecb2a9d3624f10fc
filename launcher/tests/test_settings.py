from pathlib import Path

import pytest

from battery_launcher.data_folder import DataFolder, Steps
from battery_launcher.database_roles import DatabasePasswords
from battery_launcher.errors import LaunchFailed
from battery_launcher.postgres import EmbeddedPostgres, server_settings
from battery_launcher.settings import LauncherSettings, read_env_file
from battery_launcher.steps import parse_progress


def test_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# comment\nPORT=9001\nexport DATA_DIR='kept here'\n\nBATTERY_HISTORY_DAYS=7\n")
    settings = LauncherSettings.from_environment({"PORT": "9002"}, tmp_path)
    assert settings.port == 9002
    assert settings.data_dir == tmp_path / "kept here"
    assert settings.history_days == 7


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    settings = LauncherSettings.from_environment({"PORT": "", "DATABASE_URL": "", "DATA_DIR": ""}, tmp_path)
    assert (settings.port, settings.database_url, settings.data_dir) == (None, None, tmp_path / ".data")


@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("PORT", "70000"), ("BATTERY_HISTORY_DAYS", "-1")])
def test_wrong_numbers_are_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(LaunchFailed, match=name):
        LauncherSettings.from_environment({name: value}, tmp_path)


def test_a_missing_env_file_is_empty(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env") == {}


def test_steps_are_remembered_for_one_database_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    Steps(folder, None).mark("fleet-imported")
    assert Steps(folder, None).is_done("fleet-imported")
    assert not Steps(folder, "postgresql://elsewhere/battery").is_done("fleet-imported")
    (tmp_path / "steps.json").write_text("{torn")
    assert not Steps(folder, None).is_done("fleet-imported")


def test_the_database_password_is_quoted_in_its_url() -> None:
    passwords = DatabasePasswords("super", "owner", "a/b@c:d")
    server = EmbeddedPostgres(Path("/data/postgres"), Path("/data/sockets"), passwords)
    assert server.url == "postgresql://battery_runtime:a%2Fb%40c%3Ad@/battery?host=/data/sockets"
    assert server.owner_url == "postgresql://battery_owner:owner@/battery?host=/data/sockets"


@pytest.mark.parametrize("memory_gib", [1, 4, 64])
def test_an_acknowledged_commit_is_on_disk_whatever_the_machine(memory_gib: int) -> None:
    settings = server_settings(memory_gib * 2**30)
    assert (settings["fsync"], settings["synchronous_commit"], settings["full_page_writes"]) == ("on", "on", "on")
    assert settings["listen_addresses"] == ""
    assert 128 <= int(settings["shared_buffers"].removesuffix("MB")) <= 512


@pytest.mark.parametrize("line", [b"plain text", b"[]", b'{"done": 1}', b'{"done": "x", "total": 2}', b"\xff"])
def test_lines_that_are_no_progress_are_passed_over(line: bytes) -> None:
    assert parse_progress(line) is None
    assert parse_progress(b'{"phase": "load", "done": 3, "total": 9}') == (3, 9)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://owner:secret@db/battery\n")
    settings = LauncherSettings.from_environment({"DATABASE_URL_FILE": "url", "OTHER_FILE": "kept"}, tmp_path)
    assert settings.database_url == "postgresql://owner:secret@db/battery"
    assert settings.environment == {"DATABASE_URL": "postgresql://owner:secret@db/battery", "OTHER_FILE": "kept"}


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DATABASE_URL_FILE": "nowhere"}, "DATABASE_URL_FILE names .*nowhere, which cannot be read: No such file"),
        ({"DATABASE_URL_FILE": "url", "DATABASE_URL": "x"}, "DATABASE_URL and DATABASE_URL_FILE are both set"),
        ({"SERVICE_TOKEN_FILE": "empty"}, "SERVICE_TOKEN_FILE names .*empty, which must hold the secret"),
    ],
)
def test_a_secret_that_cannot_be_read_ends_the_launch(tmp_path: Path, environment: dict[str, str], reason: str) -> None:
    (tmp_path / "url").write_text("postgresql://owner:secret@db/battery")
    (tmp_path / "empty").write_text("")
    with pytest.raises(LaunchFailed, match=reason) as refused:
        LauncherSettings.from_environment(environment, tmp_path)
    assert "secret@" not in str(refused.value)
