"""The dashboard in a real browser against the real platform."""

import os
import shutil
import subprocess
from pathlib import Path

from battery_servicekit.testing.process import free_port
from tests.platform_process import ROOT, running_platform

POSTED_BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"
STEPS = 6


def test_an_operator_sees_live_values_and_acknowledges_an_alert(data_dir: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    results = ROOT / "tests" / "results"
    results.mkdir(exist_ok=True)
    # The feed leaves the posted string alone, so that what the browser shows is what the test posted.
    settings = {
        "SIMULATOR_STRINGS": "DC-CNX-01-UPS-01-STR-02",
        "SIMULATOR_INTERVAL_S": "2",
        "LOGIN_ATTEMPTS_PER_MINUTE": "20",
        "FRONTEND_DIST": str(ROOT / "frontend" / "dist"),
    }
    with running_platform(data_dir, tmp_path / "output.txt", free_port(), **settings) as platform:
        platform.wait_until_up()
        environment = {
            **os.environ,
            "PLATFORM_URL": platform.url,
            "ADMIN_PASSWORD": platform.admin_password,
            "SENDER_KEY": platform.simulator_key,
            "BATTERY_ID": POSTED_BATTERY,
            "SCREENSHOT": str(results / "dashboard-failure.png"),
        }
        done = subprocess.run(
            [node, "dashboard.mjs"],
            cwd=Path(__file__).parent,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    assert done.stdout.count("ok ") == STEPS, done.stdout
