"""What is asked of a running compose file beside the test of a deployment: metrics, a lost gateway, a second start."""

import json
import subprocess
import time
from pathlib import Path

import psutil
from environments import TaskFailed, print_line

from containers.network import HUB
from containers.stack import Stack

_SCRAPED_WITHIN_S = 90.0
_REQUESTS = 40
ONE_SHOTS = ("migrate", "bootstrap", "demo-fleet", "demo-circuits", "demo-import", "demo-history", "demo-load")


def check_metrics(stack: Stack) -> None:
    """Prometheus reaches every target, each replica by itself, with the token.

    Raises
    ------
    TaskFailed
        Some target is down after a minute and a half; the message names it and why.
    """
    address = next(address for network, address in stack.networks.given["prometheus"] if network == "services")
    deadline = time.monotonic() + _SCRAPED_WITHIN_S
    while True:
        answer = _outside("curl", "--silent", "--max-time", "20", f"http://{address}:9090/api/v1/targets")
        targets = json.loads(answer)["data"]["activeTargets"] if answer else []
        down = [f"{target['scrapeUrl']}: {target['lastError']}" for target in targets if target["health"] != "up"]
        gateways = {target["scrapeUrl"] for target in targets if target["labels"]["job"] == "gateway"}
        if targets and not down and len(gateways) == len(stack.containers["gateway"]):
            print_line(f"✓ Prometheus reads {len(targets)} targets, {len(gateways)} gateways among them")
            return
        if time.monotonic() > deadline:
            raise TaskFailed("Prometheus does not read " + "; ".join(down or [f"all gateways: {gateways}"]))
        time.sleep(2)


def check_lost_gateway(stack: Stack, authority: Path) -> None:
    """With one of the gateways killed, every request through the door is answered.

    Raises
    ------
    TaskFailed
        A request failed.
    """
    lost = stack.containers["gateway"].pop()
    lost.process.kill()
    lost.process.wait()
    for _ in range(_REQUESTS):
        answer = _outside(
            "curl", "--silent", "--cacert", str(authority), "--max-time", "20", "https://localhost/health"
        )
        if '"status"' not in answer:
            raise TaskFailed(f"Without {lost.name} a request was not answered: {answer[:500]}")
    print_line(f"✓ {_REQUESTS} requests were answered without {lost.name}")


def check_second_start(stack: Stack) -> None:
    """Run again what runs once; it changes nothing and ends at once.

    Raises
    ------
    TaskFailed
        One failed.
    """
    for name in ONE_SHOTS:
        began = time.monotonic()
        (container,) = stack.start(name)
        if container.process.wait(300) != 0:
            raise TaskFailed(f"{name} failed when it ran again:\n{container.text()[-2000:]}")
        print_line(f"✓ {name} again: {time.monotonic() - began:.1f} s. {' '.join(container.text().split())[-150:]}")


def print_memory(stack: Stack) -> None:
    """Print what each container holds in memory, shared pages counted in proportion."""
    for replicas in stack.containers.values():
        for container in replicas:
            if container.has_ended():
                continue
            family = [psutil.Process(container.process.pid)]
            family += family[0].children(recursive=True)
            held = sum(process.memory_full_info().pss for process in family)
            print_line(f"  {container.name:<16} {held / 1e6:7.0f} MB")


def _outside(*command: str) -> str:
    words = ["ip", "netns", "exec", HUB, *command]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout  # noqa: S603  # our own commands
