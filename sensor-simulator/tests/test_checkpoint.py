import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from battery_contracts.fleet import FleetRow
from battery_sim.checkpoint import Beginning, CheckpointFile
from battery_synth.world import World
from tests.conftest import START

MINUTE = timedelta(minutes=1)


@pytest.fixture
def small(fleet: tuple[FleetRow, ...]) -> tuple[FleetRow, ...]:
    return fleet[:48]


@pytest.fixture
def initial(tmp_path: Path, small: tuple[FleetRow, ...]) -> Path:
    path = tmp_path / "history.checkpoint"
    path.write_bytes(World.create(small, seed=5, start=START).dump())
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "world.checkpoint"


def begin(
    file: CheckpointFile, small: tuple[FleetRow, ...], now: datetime, newest_at: datetime | None = None
) -> Beginning:
    return file.begin(small, seed=5, now=now, newest_at=newest_at)


def test_first_start_goes_on_where_the_history_ends(own: Path, initial: Path, small: tuple[FleetRow, ...]) -> None:
    beginning = begin(CheckpointFile(own, initial=initial), small, START + 4 * MINUTE)
    assert beginning.world.time == beginning.silent_until == START


def test_start_killed_while_catching_up_does_not_report_an_instant_twice(
    own: Path, initial: Path, small: tuple[FleetRow, ...]
) -> None:
    newest = START + 2 * MINUTE
    beginning = begin(CheckpointFile(own, initial=initial), small, START + 4 * MINUTE, newest)
    assert beginning.silent_until == newest


def test_history_that_ended_long_ago_leaves_a_gap(own: Path, initial: Path, small: tuple[FleetRow, ...]) -> None:
    now = START + timedelta(hours=3)
    assert begin(CheckpointFile(own, initial=initial), small, now).silent_until == now


def test_later_start_leaves_a_gap_even_if_short(own: Path, initial: Path, small: tuple[FleetRow, ...]) -> None:
    file = CheckpointFile(own, initial=initial)
    world = World.create(small, seed=5, start=START + MINUTE)
    file.save(world)
    now = START + 3 * MINUTE
    beginning = begin(file, small, now, START + MINUTE)
    assert beginning.world.time == START + MINUTE
    assert beginning.silent_until == now
    assert not list(own.parent.glob("*.part"))


def test_clock_set_back_a_little_waits_for_the_newest_instant(own: Path, small: tuple[FleetRow, ...]) -> None:
    file = CheckpointFile(own, initial=None)
    file.save(World.create(small, seed=5, start=START))
    newest = START + timedelta(seconds=9)
    assert begin(file, small, START - MINUTE, newest).silent_until == newest


def test_checkpoint_far_ahead_of_the_clock_is_set_aside(own: Path, small: tuple[FleetRow, ...]) -> None:
    file = CheckpointFile(own, initial=None)
    file.save(World.create(small, seed=5, start=START + timedelta(days=2)))
    beginning = begin(file, small, START, START + timedelta(days=2))
    assert beginning.world.time == beginning.silent_until == START
    assert own.with_name("world.checkpoint.broken").exists()


def test_nothing_to_go_on_from_is_a_fresh_world(own: Path, tmp_path: Path, small: tuple[FleetRow, ...]) -> None:
    beginning = begin(CheckpointFile(own, initial=tmp_path / "absent"), small, START)
    assert beginning.world.time == beginning.silent_until == START


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "list", "no_state", "other_fleet", "texts", "number"])
def test_broken_checkpoint_is_set_aside_and_the_feed_begins_now(
    own: Path, initial: Path, small: tuple[FleetRow, ...], fleet: tuple[FleetRow, ...], damage: str
) -> None:
    good = World.create(small, seed=5, start=START + MINUTE).dump()
    own.write_bytes(
        {
            "empty": b"",
            "cut": good[: len(good) // 2],
            "noise": bytes(range(256)) * 20,
            "list": b"[1, 2]",
            "no_state": json.dumps({**json.loads(good), "sites": {}}).encode(),
            "other_fleet": World.create(fleet, seed=5, start=START).dump(),
            "texts": json.dumps({**json.loads(good), "sites": dict.fromkeys(json.loads(good)["sites"], "x")}).encode(),
            "number": b"7",
        }[damage]
    )
    now = START + 4 * MINUTE
    beginning = begin(CheckpointFile(own, initial=initial), small, now)
    assert beginning.world.time == START
    # It was here before: the time since its last word is unknown and stays a gap.
    assert beginning.silent_until == now
    assert own.with_name("world.checkpoint.broken").exists()
    assert not own.exists()


def test_broken_history_checkpoint_is_left_where_it_is(own: Path, initial: Path, small: tuple[FleetRow, ...]) -> None:
    initial.write_bytes(b"nothing of use")
    assert begin(CheckpointFile(own, initial=initial), small, START).world.time == START
    assert initial.read_bytes() == b"nothing of use"
