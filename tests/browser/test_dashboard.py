"""The dashboard in a real browser against the real platform."""

import os
import shutil
import subprocess
from pathlib import Path

from battery_servicekit.testing.process import free_port
from tests.platform_process import ROOT, RunningPlatform, running_platform

POSTED_BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"
STEPS = 6
STEPS_OF_REMAINING_LIFE = 5
HISTORY_DAYS = 40
"""Long enough for a prediction, which needs 30 days with readings."""
DASHBOARD = {"LOGIN_ATTEMPTS_PER_MINUTE": "20", "FRONTEND_DIST": str(ROOT / "frontend" / "dist")}


def run_script(platform: RunningPlatform, script: str, **more: str) -> str:
    """Run a script of this folder in Chromium; return what it printed."""
    node = shutil.which("node")
    assert node is not None
    results = ROOT / "tests" / "results"
    results.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "PLATFORM_URL": platform.url,
        "ADMIN_PASSWORD": platform.admin_password,
        "SCREENSHOT": str(results / f"{Path(script).stem}-failure.png"),
        **more,
    }
    done = subprocess.run(
        [node, script],
        cwd=Path(__file__).parent,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    return done.stdout


def test_an_operator_sees_live_values_and_acknowledges_an_alert(data_dir: Path, tmp_path: Path) -> None:
    # The feed leaves the posted string alone, so that what the browser shows is what the test posted.
    settings = {"SIMULATOR_STRINGS": "DC-CNX-01-UPS-01-STR-02", "SIMULATOR_INTERVAL_S": "2", **DASHBOARD}
    with running_platform(data_dir, tmp_path / "output.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        keys = {"SENDER_KEY": platform.simulator_key, "BATTERY_ID": POSTED_BATTERY}
        printed = run_script(platform, "dashboard.mjs", **keys)
    assert printed.count("ok ") == STEPS, printed


def test_an_engineer_finds_the_battery_with_the_shortest_life_and_reads_why(data_dir: Path, tmp_path: Path) -> None:
    settings = {"BATTERY_HISTORY_DAYS": str(HISTORY_DAYS), **DASHBOARD}
    with running_platform(data_dir, tmp_path / "output.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        with platform.login() as client:

            def predicted() -> bool:
                summary = client.get("/predictions/summary", timeout=60).raise_for_status().json()
                return bool(summary["state"] == "ready" and summary["predicted"] > 0.9 * summary["total"])

            platform.wait_for(predicted, "a prediction of the fleet", timeout_s=600)
        printed = run_script(platform, "remaining_life.mjs")
    assert printed.count("ok ") == STEPS_OF_REMAINING_LIFE, printed
