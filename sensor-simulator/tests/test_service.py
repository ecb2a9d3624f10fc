"""The real simulator as a process, against a gateway on a real port."""

import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from battery_contracts.fleet import FleetRow
from battery_servicekit.testing.process import ServiceProcess, running_service
from battery_synth.world import World
from tests.gateway_double import GatewayDouble

TOKEN = "token-of-the-platform"
COMMAND = [str(Path(sys.executable).with_name("battery-sim-service"))]


@dataclass
class Simulator:
    """A running simulator and its control interface."""

    process: ServiceProcess

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.process.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)

    def patch(self, **changes: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.patch(self.process.url + "/api/v1/feed", json=changes, headers=headers, timeout=5)

    @property
    def status(self) -> dict[str, Any]:
        content: dict[str, Any] = self.get("/api/v1/status").raise_for_status().json()
        return content


Start = Callable[..., AbstractContextManager[ServiceProcess]]


@pytest.fixture
def start(fleet_csv: Path, gateway: GatewayDouble, tmp_path: Path) -> Start:
    def started(**environment: str) -> AbstractContextManager[ServiceProcess]:
        values = {
            "GATEWAY_URL": gateway.url,
            "SIMULATOR_API_KEY": gateway.api_key,
            "SERVICE_TOKEN": TOKEN,
            "DATA_DIR": str(tmp_path / "data"),
            "SIMULATOR_FLEET_CSV": str(fleet_csv),
            "SIMULATOR_INTERVAL_S": "1",
            **environment,
        }
        return running_service(COMMAND, values, log=tmp_path / "simulator.log")

    return started


@pytest.fixture
def simulator(start: Start) -> Iterator[Simulator]:
    with start() as process:
        process.wait_until_alive()
        yield Simulator(process)


def wait_for(condition: Callable[[], bool], what: str, *, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


def instants(gateway: GatewayDouble, item_id: str) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in gateway.times_of(item_id)]


def later_than(time: datetime, gateway: GatewayDouble, item_id: str) -> list[datetime]:
    return [instant for instant in instants(gateway, item_id) if instant > time]


def world_time(simulator: Simulator) -> datetime:
    return datetime.fromisoformat(simulator.status["world_time"])


def is_one_value_each(gateway: GatewayDouble) -> bool:
    return all(len(values) == 1 for values in gateway.values.values())


def test_feed_reaches_the_gateway_and_the_status_reports_so(simulator: Simulator, gateway: GatewayDouble) -> None:
    wait_for(lambda: len(gateway.arrivals) >= 3, "three batches")
    status = simulator.status
    assert status["state"] == "feeding"
    assert status["delivery"]["is_connected"]
    assert status["delivery"]["accepted_readings"] > 432
    assert sum(status["strings_by_mode"].values()) == 18
    assert 0.0 <= status["lag_s"] < 2.5
    assert simulator.get("/health/ready").json()["status"] == "ready"
    assert 'sim_readings_total{outcome="accepted"}' in simulator.get("/metrics").text
    scenarios = simulator.get("/api/v1/scenarios").json()
    assert scenarios["items"] == []
    assert "not part of this version" in scenarios["note"]


def test_control_needs_the_token_and_health_does_not(simulator: Simulator) -> None:
    url = simulator.process.url
    assert httpx.get(url + "/health").status_code == 200
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer"}):
        for method, path in (("GET", "/api/v1/status"), ("PATCH", "/api/v1/feed"), ("GET", "/api/v1/scenarios")):
            answer = httpx.request(method, url + path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "service_token_missing")


def test_interval_and_filter_change_while_it_runs(simulator: Simulator, gateway: GatewayDouble) -> None:
    wait_for(lambda: simulator.status["state"] == "feeding", "feeding")
    chosen = "DC-CNX-01-UPS-01-STR-02"
    answer = simulator.patch(interval_s=3, strings=[chosen])
    assert answer.json() == {"enabled": True, "interval_s": 3.0, "discharge_interval_s": 2.0, "strings": [chosen]}
    # What is made after this instant is made by the new plan.
    changed = world_time(simulator)
    wait_for(lambda: len(later_than(changed, gateway, f"BAT-{chosen}-001")) >= 3, "three reports of the chosen string")
    reports = later_than(changed, gateway, f"BAT-{chosen}-001")
    assert {later - earlier for earlier, later in pairwise(reports)} == {timedelta(seconds=3)}
    assert later_than(changed, gateway, "BAT-DC-CNX-01-UPS-01-STR-01-001") == []

    assert simulator.patch(enabled=False).json()["enabled"] is False
    paused = world_time(simulator)
    wait_for(lambda: world_time(simulator) >= paused + timedelta(seconds=3), "three ticks of the paused feed")
    wait_for(lambda: simulator.status["delivery"]["waiting_batches"] == 0, "all sent")
    assert [key for batch in gateway.arrivals for key in batch if datetime.fromisoformat(key[1]) > paused] == []
    assert simulator.status["state"] == "paused"
    assert simulator.patch(enabled=True, strings=[], interval_s=1).json()["strings"] is None
    wait_for(lambda: gateway.times_of("BAT-DC-CNX-01-UPS-01-STR-01-001") != [], "the other strings again")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"interval_s": 0.5}, "validation_failed"),
        ({"interval_s": 61}, "validation_failed"),
        ({"discharge_interval_s": "soon"}, "validation_failed"),
        ({"strings": ["BAT-1"]}, "validation_failed"),
        ({"strings": ["DC-CNX-01-UPS-01-STR-99"]}, "unknown_string"),
        ({"speed_of_light": 1}, "validation_failed"),
    ],
)
def test_wrong_change_is_refused_with_a_reason(simulator: Simulator, changes: dict[str, Any], code: str) -> None:
    wait_for(lambda: simulator.status["state"] == "feeding", "feeding")
    answer = simulator.patch(**changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert simulator.status["feed"]["interval_s"] == 1.0


def test_outage_of_the_gateway_is_buffered_and_drained_in_order(simulator: Simulator, gateway: GatewayDouble) -> None:
    wait_for(lambda: len(gateway.arrivals) >= 2, "the feed")
    gateway.stop()
    wait_for(lambda: simulator.status["delivery"]["waiting_batches"] >= 4, "a backlog")
    ready = simulator.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    gateway.start()
    wait_for(lambda: simulator.status["delivery"]["waiting_batches"] == 0, "the drain")
    seen = instants(gateway, "BAT-DC-CNX-01-UPS-01-STR-01-001")
    assert seen == [seen[0] + timedelta(seconds=number) for number in range(len(seen))]
    assert is_one_value_each(gateway)


def test_kill_at_any_moment_doubles_nothing_and_loses_nothing(start: Start, gateway: GatewayDouble) -> None:
    battery = "BAT-DC-CNX-01-UPS-01-STR-01-001"
    chance = random.Random(20260303)
    for number in range(10):
        with start() as process:
            process.wait_until_alive()
            simulator = Simulator(process)
            if number % 3 == 1:
                # Killed with a backlog: it is sent by the next one.
                gateway.stop()
                wait_for(lambda: simulator.status["delivery"]["waiting_batches"] > 0, "a backlog")  # noqa: B023  # used at once
            else:
                before = len(gateway.arrivals)
                wait_for(lambda: len(gateway.arrivals) > before, "the feed of this start")  # noqa: B023  # used at once
            time.sleep(chance.uniform(0.3, 2.0))
            process.kill()
        if number % 3 == 1:
            gateway.start()
    with start() as process:
        process.wait_until_alive()
        simulator = Simulator(process)
        wait_for(lambda: simulator.status["delivery"]["acknowledged_batches"] >= 3, "the feed after the kills")
        assert simulator.status["delivery"]["refused_batches"] == 0
    assert is_one_value_each(gateway)
    seen = instants(gateway, battery)
    assert seen == sorted(seen)


def test_spooled_readings_arrive_after_a_kill(start: Start, gateway: GatewayDouble) -> None:
    gateway.stop()
    with start() as process:
        process.wait_until_alive()
        simulator = Simulator(process)
        wait_for(lambda: simulator.status["delivery"]["waiting_batches"] >= 4, "a backlog")
        made_until = datetime.fromisoformat(simulator.status["world_time"])
        process.kill()
    gateway.start()
    with start() as process:
        process.wait_until_alive()
        wait_for(lambda: bool(gateway.arrivals), "the backlog")
    seen = instants(gateway, "BAT-DC-CNX-01-UPS-01-STR-01-001")
    spooled = [at for at in seen if at <= made_until]
    assert len(spooled) >= 4
    assert spooled == [spooled[0] + timedelta(seconds=number) for number in range(len(spooled))]


def test_terminated_process_ends_fast_and_comes_back_with_a_gap(start: Start, gateway: GatewayDouble) -> None:
    with start() as process:
        process.wait_until_alive()
        wait_for(lambda: len(gateway.arrivals) >= 2, "the feed")
        assert process.stop() in {0, -15}
    stopped_at = datetime.now(UTC)
    time.sleep(2.5)
    with start() as process:
        process.wait_until_alive()
        before = len(gateway.arrivals)
        wait_for(lambda: len(gateway.arrivals) >= before + 2, "the feed again")
    seen = instants(gateway, "BAT-DC-CNX-01-UPS-01-STR-01-001")
    assert not [at for at in seen if stopped_at < at < stopped_at + timedelta(seconds=2)]
    assert is_one_value_each(gateway)


def test_hanging_gateway_is_noticed_before_its_time_is_up(simulator: Simulator, gateway: GatewayDouble) -> None:
    wait_for(lambda: simulator.get("/health/ready").json()["status"] == "ready", "ready")
    gateway.hangs = True
    wait_for(lambda: simulator.get("/health/ready").json()["status"] == "degraded", "the backlog noticed")
    assert simulator.get("/health/ready").json()["checks"]["gateway"]["reason"] == "backlog"
    gateway.hangs = False
    wait_for(lambda: simulator.get("/health/ready").json()["status"] == "ready", "ready again")


def test_hanging_gateway_does_not_hold_up_the_stop(start: Start) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        start(GATEWAY_URL=f"http://127.0.0.1:{deaf.getsockname()[1]}") as process,
    ):
        process.wait_until_alive()
        wait_for(lambda: Simulator(process).status["delivery"]["waiting_batches"] >= 2, "a backlog")
        process.stop()


def test_first_start_has_no_seam_with_the_history(
    start: Start, gateway: GatewayDouble, fleet: tuple[FleetRow, ...], tmp_path: Path
) -> None:
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    world = World.create(fleet, seed=9, start=ended - timedelta(hours=1))
    world.advance(ended)
    (tmp_path / "history.checkpoint").write_bytes(world.dump())
    with start(SIMULATOR_INITIAL_CHECKPOINT=str(tmp_path / "history.checkpoint")) as process:
        process.wait_until_alive()
        wait_for(lambda: abs(Simulator(process).status["lag_s"] or 99.0) < 2.0, "caught up", timeout_s=30)
        wait_for(lambda: Simulator(process).status["delivery"]["waiting_batches"] == 0, "all sent")
    seen = instants(gateway, "BAT-DC-CNX-01-UPS-01-STR-01-001")
    assert seen == [ended + timedelta(seconds=number + 1) for number in range(len(seen))]
    assert len(seen) >= 120


@pytest.mark.parametrize("name", ["world.checkpoint", "spool.sqlite"])
def test_broken_file_does_not_keep_the_feed_down(
    start: Start, gateway: GatewayDouble, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "data" / "simulator"
    with start() as process:
        process.wait_until_alive()
        wait_for((folder / "world.checkpoint").exists, "a checkpoint")
        # Not killed: SQLite would mend the file from its log.
        process.stop()
    (folder / name).write_bytes(b"\xff broken" * 900)
    with start() as process:
        process.wait_until_alive()
        before = len(gateway.arrivals)
        wait_for(lambda: len(gateway.arrivals) >= before + 2, "the feed again")
        assert Simulator(process).status["state"] == "feeding"
    assert [path.name for path in folder.iterdir() if path.name.startswith(f"{name}.broken")] != []
    assert is_one_value_each(gateway)


def test_full_spool_stops_the_feed_visibly_until_it_drains(start: Start, gateway: GatewayDouble) -> None:
    gateway.stop()
    with start(SIMULATOR_SPOOL_LIMIT_BYTES=str(2**18)) as process:
        process.wait_until_alive()
        simulator = Simulator(process)
        wait_for(lambda: simulator.status["state"] == "spool_full", "a full spool", timeout_s=60)
        ready = simulator.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["feed"]["reason"]) == (503, "spool_full")
        waiting = simulator.status["delivery"]["waiting_batches"]
        full = world_time(simulator)
        wait_for(lambda: world_time(simulator) >= full + timedelta(seconds=2), "two ticks of the full spool")
        assert simulator.status["delivery"]["waiting_batches"] == waiting
        gateway.start()
        wait_for(lambda: simulator.get("/health/ready").json()["status"] == "ready", "ready again")
    assert is_one_value_each(gateway)


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({"SIMULATOR_FLEET_CSV": "/nowhere/fleet.csv"}, "fleet_unusable"),
        ({"SIMULATOR_STRINGS": "DC-CNX-01-UPS-01-STR-77"}, "unknown_strings"),
    ],
)
def test_wrong_setting_is_reported_by_a_living_service(start: Start, environment: dict[str, str], state: str) -> None:
    with start(**environment) as process:
        process.wait_until_alive()
        simulator = Simulator(process)
        wait_for(lambda: simulator.status["state"] == state, state)
        assert simulator.get("/health/ready").status_code == 503
        assert simulator.patch(interval_s=5).json()["code"] == "feed_not_started"


def test_second_simulator_on_the_same_folder_does_not_feed(start: Start, gateway: GatewayDouble) -> None:
    with start() as first:
        first.wait_until_alive()
        wait_for(lambda: len(gateway.arrivals) >= 1, "the feed")
        with start() as second:
            second.wait_until_alive()
            wait_for(lambda: Simulator(second).status["state"] == "spool_unavailable", "the lock noticed")
            assert "locked" in Simulator(second).status["reason"]
            first.stop()
            wait_for(lambda: Simulator(second).status["state"] == "feeding", "the second takes over")
    assert is_one_value_each(gateway)
