"""The launcher with a real supervisor, a real PostgreSQL and stand-ins for the platform's commands."""

import signal
import socket
from pathlib import Path

import httpx
import psutil

from tests.conftest import Launched, Launcher

SET_UP = ["battery-api migrate", "battery-synth catalogue", "battery-api import-fleet", "battery-api bootstrap"]


def nothing_is_left(launched: Launched) -> bool:
    return not launched.family()


def test_first_launch_sets_everything_up_in_order_and_later_ones_repeat_nothing(start_launcher: Launcher) -> None:
    first = start_launcher(STAND_IN_LOAD_S="2")
    first.wait_until_up()
    first.wait_for_text("history loaded")
    calls = first.calls()
    assert [call for call in calls if "serves" not in call] == [
        *SET_UP,
        "battery-synth history",
        "battery-api load-history",
        "history is in",
    ]
    assert calls.index("battery-synth history") < calls.index("battery-sim-service serves")
    assert calls.index("battery-sim-service serves") < calls.index("history is in")
    first.stop()
    assert first.process.returncode == 0
    assert nothing_is_left(first)

    (first.data / "calls").unlink()
    second = start_launcher()
    second.wait_until_up()
    assert [call for call in second.calls() if "serves" not in call] == ["battery-api migrate"]
    second.stop(signal.SIGTERM)
    assert nothing_is_left(second)


def test_admin_password_is_shown_once_and_kept_private(start_launcher: Launcher) -> None:
    first = start_launcher(BATTERY_HISTORY_DAYS="0")
    first.wait_until_up()
    kept = first.data / "admin-password"
    password = kept.read_text().strip()
    assert len(password) >= 16
    assert password in first.text()
    assert kept.stat().st_mode & 0o077 == 0
    for path in (first.data / "jwt-secret", first.data / "service-token", *first.data.glob("run/*.json")):
        assert path.stat().st_mode & 0o077 == 0, path
    command_lines = [" ".join(process.cmdline()) for process in first.family()]
    assert not any(password in line for line in command_lines)
    first.stop()

    second = start_launcher(BATTERY_HISTORY_DAYS="0")
    second.wait_until_up()
    assert password not in second.text()
    assert str(kept) in second.text().replace("\n", "")
    second.stop()


def test_a_killed_service_comes_back(start_launcher: Launcher) -> None:
    launched = start_launcher(BATTERY_HISTORY_DAYS="0")
    launched.wait_until_up()
    for name in ("battery-api", "postgres"):
        before = launched.program(name)
        before.kill()
        launched.wait_for(lambda name=name, before=before: _is_running_again(launched, name, before), f"{name} again")  # type: ignore[misc]
    launched.wait_for(lambda: httpx.get(f"http://127.0.0.1:{launched.port}/health").is_success, "health")
    launched.stop()
    assert nothing_is_left(launched)


def _is_running_again(launched: Launched, name: str, before: psutil.Process) -> bool:
    try:
        return launched.program(name).pid != before.pid
    except LookupError:
        return False


def test_nothing_outlives_a_killed_launcher(start_launcher: Launcher) -> None:
    launched = start_launcher(BATTERY_HISTORY_DAYS="0")
    launched.wait_until_up()
    assert len(launched.family()) >= 6
    launched.process.kill()
    launched.process.wait()
    launched.wait_for(lambda: nothing_is_left(launched), "the end of all")


def test_everything_returns_after_the_supervisor_was_killed_and_still_stops(start_launcher: Launcher) -> None:
    launched = start_launcher(BATTERY_HISTORY_DAYS="0")
    launched.wait_until_up()
    old = launched.family()
    supervisor = next(process for process in old if "battery_launcher.supervisor_process" in process.cmdline())
    supervisor.kill()
    launched.wait_for_text("starting everything again")
    launched.wait_for(lambda: launched.calls().count("battery-sim-service serves") == 2, "the feed again")
    launched.stop()
    assert nothing_is_left(launched)


def test_a_service_that_ignores_the_stop_is_killed_in_time(start_launcher: Launcher) -> None:
    launched = start_launcher(BATTERY_HISTORY_DAYS="0", STAND_IN_STUBBORN="battery-api,battery-sim-service")
    launched.wait_until_up()
    launched.stop()
    assert nothing_is_left(launched)


def test_stop_while_the_history_loads_and_the_next_launch_loads_it(start_launcher: Launcher) -> None:
    first = start_launcher(STAND_IN_LOAD_S="60")
    first.wait_until_up()
    first.wait_for(lambda: "battery-api load-history" in first.calls(), "the load")
    first.stop()
    assert nothing_is_left(first)
    second = start_launcher()
    second.wait_for_text("history loaded")
    assert second.calls().count("battery-synth history") == 1
    assert second.calls().count("history is in") == 1
    second.stop()


def test_two_launchers_do_not_share_a_folder(start_launcher: Launcher) -> None:
    first = start_launcher(BATTERY_HISTORY_DAYS="0")
    first.wait_until_up()
    second = start_launcher(BATTERY_HISTORY_DAYS="0")
    assert second.process.wait(timeout=20) == 1
    assert f"already running on {first.data} (process {first.process.pid})" in second.text().replace("\n", " ")
    assert httpx.get(f"http://127.0.0.1:{first.port}/health").is_success
    first.stop()


def test_a_taken_port_is_named(start_launcher: Launcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        launched = start_launcher(port=port)
        assert launched.process.wait(timeout=20) == 1
    assert f"Port {port}" in launched.text()
    assert "PORT=" in launched.text()


def test_a_failing_step_reports_why_and_leaves_no_process(start_launcher: Launcher) -> None:
    launched = start_launcher(STAND_IN_FAILS="import-fleet")
    assert launched.process.wait(timeout=60) == 1
    assert "planted failure" in launched.text()
    assert nothing_is_left(launched)
    again = start_launcher(BATTERY_HISTORY_DAYS="0")
    again.wait_until_up()
    again.stop()


def test_a_long_data_dir_still_fits_its_sockets(start_launcher: Launcher, data_dir: Path) -> None:
    deep = data_dir / ("a-long-name-" * 8)
    launched = start_launcher(BATTERY_HISTORY_DAYS="0", DATA_DIR=str(deep))
    launched.data = deep
    launched.wait_until_up()
    launched.stop()
    assert nothing_is_left(launched)


def test_an_unwritable_data_dir_is_named(start_launcher: Launcher, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("")
    launched = start_launcher(DATA_DIR=str(file / "data"))
    assert launched.process.wait(timeout=20) == 1
    assert "DATA_DIR" in launched.text()
    assert file.read_text() == ""
