"""What is said not to be judged cannot raise an alert, and what is said to be judged does."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.engine.state import type_states_from_json
from battery_api.alerts.not_judged import rules_judging
from battery_contracts.enums import JudgedSignal

from .world import BATTERIES, FIRST, LOCATIONS, NOW, PER_STRING, STRINGS, World, iso, named

MINUTE = timedelta(minutes=1)
START, STOPPED, STEADY = NOW - timedelta(hours=8), NOW - timedelta(hours=5), NOW - timedelta(hours=3)
MEMBERS = BATTERIES[:PER_STRING]
EVERYTHING = set(JudgedSignal)
OF_SENSORS = {"voltage_age_s", "temperature_age_s", "voltage_flat_s", "temperature_flat_s"}


@dataclass
class Feed:
    """What the senders of one string send; ``changed`` are values of its first battery that turn bad."""

    voltage: str = "all"
    temperature: str = "all"
    room: str = "sent"
    resistance: str = "sent"
    current: str = "string"
    charging: str = "settled"
    at: datetime = START
    current_a: float = 0.1
    all_voltage_v: float = 13.65
    changed: dict[str, float] = field(default_factory=dict)

    def sends(self, channel: str, position: int) -> bool:
        """Return whether a member sends a channel at this time."""
        choice: str = getattr(self, channel)
        if choice == "two":
            return position < 2
        if position == 0 and choice == "stopped":
            return self.at < STOPPED
        return position > 0 or choice != "never"

    def has(self, source: str) -> bool:
        """Return whether the room or the string sends at this time."""
        choice: str = getattr(self, source)
        return choice != "never" and (choice != "stopped" or self.at < STOPPED)

    def body(self) -> dict[str, Any]:
        """Return what is sent at this time."""
        time = iso(self.at)
        body: dict[str, Any] = {"readings": []}
        for position, code in enumerate(MEMBERS):
            values = {
                "voltage_v": self.all_voltage_v if self.sends("voltage", position) else None,
                "temperature_c": 25.0 if self.sends("temperature", position) else None,
                "current_a": self.current_a if self.current == "batteries" else None,
                "internal_resistance_mohm": 3.4 if self.at == START and self.sends("resistance", position) else None,
            }
            if position == 0:
                sent = self.changed if self.resistance == "sent" else self.changed | {"internal_resistance_mohm": None}
                values |= {
                    name: value
                    for name, value in sent.items()
                    if values[name] is not None or name == "internal_resistance_mohm"
                }
            present = {name: value for name, value in values.items() if value is not None}
            if present:
                body["readings"].append({"battery_id": code, "time": time} | present)
        if self.current in {"string", "stopped"} and self.has("current"):
            body["string_readings"] = [{"string_id": STRINGS[0], "time": time, "current_a": self.current_a}]
        if self.has("room"):
            body["site_readings"] = [{"location_id": LOCATIONS[0], "time": time, "ambient_c": 25.0}]
        return body

    async def send(self, world: World, minutes: int, *, until: datetime | None = None) -> None:
        """Send one reading per minute, in batches of many."""
        joined: dict[str, list[Any]] = {}
        count = minutes if until is None else (until - self.at) // MINUTE
        for _ in range(count):
            for name, readings in self.body().items():
                joined.setdefault(name, []).extend(readings)
            self.at += MINUTE
        world.clock.set(self.at)
        await world.post(joined)


PHASES: Sequence[tuple[JudgedSignal, Mapping[str, float], Mapping[str, float], int]] = (
    (JudgedSignal.TEMPERATURE_OVER_STRING, {"temperature_c": 33.5}, {}, 62),
    (JudgedSignal.TEMPERATURE_OVER_ROOM, {"temperature_c": 36.0}, {}, 12),
    (JudgedSignal.TEMPERATURE, {"temperature_c": 70.0}, {}, 1),
    (JudgedSignal.VOLTAGE_VS_STRING, {"voltage_v": 12.65}, {"all_voltage_v": 14.2}, 12),
    (JudgedSignal.VOLTAGE, {"voltage_v": 16.5}, {}, 1),
    # After the voltages on float, which an ohmic test puts to sleep for half an hour.
    (JudgedSignal.RESISTANCE, {"internal_resistance_mohm": 3.4 * 1.9}, {}, 1),
    (JudgedSignal.DISCHARGE_VOLTAGE, {}, {"all_voltage_v": 10.2, "current_a": -70.0}, 2),
)


async def get(world: World, path: str, **query: Any) -> dict[str, Any]:
    answer = await world.client.get(path, params=query, headers=named("mali"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def reasons(world: World, code: str = FIRST) -> dict[str, str]:
    """Return the reasons by signal, which list and page give alike."""
    page = (await get(world, f"batteries/{code}"))["not_judged"]
    (listed,) = (await get(world, "batteries", q=code))["items"]
    assert listed["not_judged"] == page
    return {one["signal"]: one["reason"] for one in page}


async def firing(world: World) -> set[str]:
    states = type_states_from_json(await world.rule_state(FIRST) or {})
    return {rule_id for state in states.values() for rule_id, run in state.runs.items() if run.firing}


async def run_steadily(world: World, feed: Feed, *, with_baseline: bool = True) -> None:
    """Send until it is steady, in one discharge and its recharge if so chosen."""
    world.clock.set(START)
    if not with_baseline:
        await world.rows("update battery set baseline_resistance_mohm = null")
    if feed.charging == "recharge":
        feed.current_a = -20.0
        await feed.send(world, 2)
        feed.current_a = 5.0
    await feed.send(world, 0, until=STEADY)


@pytest.mark.parametrize("seed", range(14))
async def test_what_is_judged_raises_and_what_is_not_does_not(world: World, seed: int) -> None:
    choose = random.Random(seed)
    feed = Feed(
        voltage=choose.choice(["all", "all", "two", "never", "stopped"]),
        temperature=choose.choice(["all", "two", "never", "stopped"]),
        room=choose.choice(["sent", "never", "stopped"]),
        resistance=choose.choice(["sent", "sent", "never"]),
        current=choose.choice(["string", "batteries", "never", "stopped"]),
    )
    feed.charging = choose.choice(["settled", "settled", "recharge"]) if feed.current != "never" else "settled"
    await run_steadily(world, feed, with_baseline=choose.random() < 0.5)
    not_judged = await reasons(world)
    raised = set()
    for signal, changed, of_string, minutes in PHASES:
        rules = {rule.rule_id for rule in rules_judging(signal)}
        assert not await firing(world) & rules, (signal, feed)
        normal = Feed(**vars(feed))
        feed.changed = dict(changed)
        for name, value in of_string.items():
            setattr(feed, name, value)
        await feed.send(world, minutes)
        if await firing(world) & rules:
            raised.add(signal)
        feed = Feed(**vars(normal) | {"at": feed.at})
    assert raised == EVERYTHING - set(not_judged), (feed, not_judged)


def test_each_battery_rule_judges_one_signal_or_whether_a_channel_still_measures() -> None:
    judged = [rule.rule_id for signal in JudgedSignal for rule in rules_judging(signal)]
    of_sensors = [rule.rule_id for rule in RULES_OF[SubjectKind.BATTERY] if rule.signal in OF_SENSORS]
    assert sorted(judged + of_sensors) == sorted(rule.rule_id for rule in RULES_OF[SubjectKind.BATTERY])


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        (Feed(), {}),
        (
            Feed(temperature="never", room="never"),
            {
                "temperature": "never_measured",
                "temperature_over_room": "never_measured",
                "temperature_over_string": "never_measured",
                "resistance": "no_temperature",
            },
        ),
        (Feed(room="never"), {"temperature_over_room": "no_room_temperature"}),
        (Feed(voltage="two"), {"voltage_vs_string": "too_few_peers"}),
        (Feed(current="never"), {"discharge_voltage": "no_current"}),
        (Feed(current="stopped"), {"discharge_voltage": "no_current"}),
        (Feed(resistance="never"), {"resistance": "never_measured"}),
        (
            Feed(charging="recharge"),
            dict.fromkeys(["voltage_vs_string", "temperature_over_string", "resistance"], "not_settled"),
        ),
        (
            Feed(voltage="stopped"),
            dict.fromkeys(["voltage", "voltage_vs_string", "discharge_voltage"], "reading_too_old"),
        ),
    ],
)
async def test_each_missing_input_has_its_reason(world: World, feed: Feed, expected: dict[str, str]) -> None:
    await run_steadily(world, Feed(**vars(feed)))
    assert await reasons(world) == expected


async def test_without_a_baseline_the_nameplate_judges(world: World) -> None:
    await run_steadily(world, Feed(), with_baseline=False)
    assert await reasons(world) == {}


async def test_what_never_reported_or_is_retired_is_not_judged_at_all(world: World) -> None:
    assert set((await reasons(world)).values()) == {"never_measured"}
    await world.rows(
        "update battery set retired_at = $1, retired_by = 'root', retired_reason = 'sold' where code = $2", NOW, FIRST
    )
    page = (await get(world, f"batteries/{FIRST}"))["not_judged"]
    assert {one["signal"]: one["reason"] for one in page} == dict.fromkeys(JudgedSignal, "retired")


async def test_lists_and_summaries_separate_what_is_not_judged(world: World) -> None:
    await run_steadily(world, Feed(resistance="never"))
    here = {"string_id": STRINGS[0]}
    missing = await get(world, "batteries", not_judged="true", **here)
    assert ([one["battery_id"] for one in missing["items"]], missing["total"]) == ([FIRST], 1)
    assert missing["items"][0]["status"] == "normal"
    complete = await get(world, "batteries", not_judged="false", **here)
    assert [one["battery_id"] for one in complete["items"]] == list(MEMBERS[1:])
    never_reported = len(BATTERIES) - PER_STRING
    assert (await get(world, "fleet/overview"))["not_judged_count"] == never_reported + 1
    (one, other) = (await get(world, "locations", include_stats="true"))["items"]
    assert one["stats"]["not_judged_count"] == PER_STRING + 1
    assert other["stats"]["not_judged_count"] == 2 * PER_STRING
