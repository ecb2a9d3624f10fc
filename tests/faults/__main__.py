"""Plant faults in a running platform and print what it survived: ``make faults``.

Needs root for a small disk of its own; without it the disk is not filled.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from battery_servicekit.testing.process import free_port
from tests.faults.attacks import PROGRAMS, Attack, freeze, full_disk, header_flood, kill, slow_clients
from tests.faults.feed import Feed, Timed, Visitor
from tests.platform_process import RunningPlatform, running_platform

STRING = "DC-CNX-01-UPS-01-STR-01"
SENDERS = 8
VOLUME_SIZE = "1500m"
RECOVERS_WITHIN_S = 90.0
QUIET_S = 5.0


@contextmanager
def small_volume() -> Iterator[tuple[Path, bool]]:
    """Provide a folder on a small volume of its own where that is possible, and whether it is."""
    with tempfile.TemporaryDirectory(prefix="battery-faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_SIZE},mode=0711", "tmpfs", name]
        is_own = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
        try:
            yield folder, is_own
        finally:
            if is_own:
                subprocess.run(["umount", "-l", name], check=False)


def is_whole(platform: RunningPlatform) -> bool:
    """Return whether every program runs and the gateway has its database and its twin."""
    if any(platform.program(command) is None for command in PROGRAMS.values()):
        return False
    checks = httpx.get(f"{platform.url}/health/ready", timeout=10).json()["checks"]
    return all(checks[name]["state"] == "up" for name in ("database", "schema", "disk", "twin", "simulator"))


def plant(platform: RunningPlatform, attack: Attack, feed: Feed, visitor: Visitor) -> list[str]:
    """Run one attack, wait until the platform is whole again, and return a row of the report."""
    time.sleep(QUIET_S)
    began = time.monotonic()
    found = attack.run(platform)
    ended = time.monotonic()
    platform.wait_for(lambda: is_whole(platform), f"recovery from {attack.name}", RECOVERS_WITHIN_S)
    back_s = time.monotonic() - ended
    # Until something was acknowledged again, whatever the checks say.
    platform.wait_for(lambda: feed.posts.since(ended)[0], f"a reading after {attack.name}", RECOVERS_WITHIN_S)
    return [attack.name, f"{back_s:.1f} s", *_figures(feed.posts, began), *_figures(visitor.reads, began), found]


def _figures(timed: Timed, began: float) -> list[str]:
    took_s, failures = timed.since(began)
    p99_ms = f"{1000 * float(np.quantile(took_s, 0.99)):.0f} ms" if took_s else "-"
    return [p99_ms, f"{len(failures)} {'/'.join(sorted(set(failures)))}".strip()]


def main() -> int:
    """Run every attack; the exit code is 0 if nothing acknowledged was lost or doubled."""
    # Wide enough for the report where the output goes to a file.
    console = Console() if sys.stdout.isatty() else Console(width=170)
    table = Table(title="Faults planted under numbered readings and a visitor")
    for column in ("fault", "whole again after", "posts p99", "refused", "pages p99", "failed", "found"):
        table.add_column(column)
    with small_volume() as (folder, is_own):
        attacks = [kill(program) for program in PROGRAMS] + [freeze(program) for program in PROGRAMS]
        attacks += [slow_clients(), header_flood()]
        if is_own:
            attacks.append(full_disk(folder))
        else:
            console.print("[yellow]![/yellow] The disk is not filled: a small one of its own needs root.")
        settings = {"SIMULATOR_STRINGS": STRING.replace("01-STR-01", "01-STR-02"), "SIMULATOR_INTERVAL_S": "5"}
        with running_platform(folder / "data", folder / "output.txt", free_port(), **settings) as platform:
            platform.wait_until_up()
            platform.wait_for(lambda: is_whole(platform), "every program", 180)
            feed = Feed(platform, [f"BAT-{STRING}-{position:03d}" for position in range(1, SENDERS + 1)])
            visitor = Visitor(platform)
            feed.start()
            visitor.start()
            try:
                for attack in attacks:
                    console.print(f"[dim]{attack.name} ...[/dim]")
                    table.add_row(*plant(platform, attack, feed, visitor))
            finally:
                feed.end()
                visitor.end()
                console.print(table)
            acknowledged, lost, doubled = asyncio.run(feed.account())
    console.print(f"{acknowledged} readings acknowledged, [bold]{lost} lost, {doubled} doubled[/bold].")
    return 1 if lost or doubled else 0


if __name__ == "__main__":
    sys.exit(main())
