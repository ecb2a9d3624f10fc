"""However readings are cut into batches and delayed, the same alerts, incidents and roll-ups come of them."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.lib.recfunctions import structured_to_unstructured

from battery_api.alerts.engine.trends import TREND_RECORD
from battery_api.app.main import create_app
from battery_api.app.parts import PartOverrides
from battery_api.settings import GatewaySettings
from battery_api.telemetry.store.rollups import run_once
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database
from tests.support.callers import Callers
from tests.support.transport import Message, bodies_of, cut_and_shuffle

from .world import BATTERIES, LOCATIONS, NOW, PER_STRING, STRINGS, PublishedEvents, World, iso, principals

MEMBERS = BATTERIES[:PER_STRING]
BEGIN = NOW - timedelta(hours=9)
ALERTS = """
    select subject, rule_id, raised_at, cleared_at from alert
    where withdrawn_at is null and type <> 'data_stale' order by raised_at, subject, rule_id
"""
INCIDENTS = """
    select i.family, i.string_id, i.opened_at, i.cleared_at, i.severity, i.alert_count, array_agg(
        (a.subject, a.type, a.raised_at)::text order by a.raised_at, a.subject, a.type) as members
    from incident i join alert a on a.incident_id = i.id
    where a.withdrawn_at is null and a.type <> 'data_stale' and i.merged_into_id is null
    group by i.id order by i.opened_at, i.family, i.string_id
"""
ROLLUPS = "select * from telemetry_hourly order by battery_id, bucket"
STATES = "select battery_id, rule_state, known_voltage_v, known_temperature_c from battery_state order by battery_id"

TRENDS = "select trends from string_state order by string_id"
LOCATION_STATES = "select location_id, rule_state, mains_history from location_state order by location_id"


def random_trace(seed: int) -> list[Message]:
    """Return five hours of messages in order of time: floats, an outage, heat, glitches, gaps and lost channels."""
    rng = random.Random(seed)  # a repeatable trace, no secret
    hot, weak, dead, runaway = (rng.choice(MEMBERS) for _ in range(4))
    heat = sorted(rng.uniform(0, 330) for _ in range(2))
    outage = (rng.uniform(60, 220), rng.uniform(10, 90))
    silence = (rng.uniform(0, 280), rng.uniform(5, 60))
    together = rng.random() < 0.5
    messages: list[Message] = []
    minute = 0.0
    while minute < 330:
        discharges = outage[0] <= minute < outage[0] + outage[1]
        at = BEGIN + timedelta(minutes=minute)
        if rng.random() < 0.9:
            current = -60.0 if discharges else rng.choice([0.1, 0.2, 5.0])
            of_string = {"string_id": STRINGS[0], "time": iso(at), "current_a": current}
            probe = {"float_current_ma": round(48 * 2 ** (minute / 60) + rng.random(), 1)}
            messages.append(("string_readings", of_string | (probe if rng.random() < 0.7 else {})))
        if rng.random() < 0.7:
            room = {"location_id": LOCATIONS[0], "time": iso(at), "ambient_c": round(24 + rng.random(), 2)}
            mains = {"mains": not discharges and rng.random() < 0.9}
            messages.append(("site_readings", room | (mains if rng.random() < 0.9 else {})))
        for position, code in enumerate(MEMBERS):
            if rng.random() < 0.05 or silence[0] <= minute < silence[0] + silence[1]:
                continue
            own = at if together else at + timedelta(seconds=3 * position + rng.randint(0, 2))
            voltage = 12.3 - 0.01 * (minute - outage[0]) if discharges else 13.62
            voltage += rng.gauss(0, 0.01) - (0.9 if code == weak else 0.0)
            voltage = 0.2 if code == dead and rng.random() < 0.03 else voltage
            temperature = 25 + rng.gauss(0, 0.2) + (22 if code == hot and heat[0] <= minute < heat[1] else 0)
            temperature += 0.3 * min(minute, 60) if code == runaway else 0
            values = {"voltage_v": round(voltage, 3), "temperature_c": round(temperature, 2)}
            if rng.random() < 0.1:
                values.pop(rng.choice(list(values)))
            if minute % 240 < 5 and rng.random() < 0.8:
                values["internal_resistance_mohm"] = round(3.5 * rng.uniform(0.9, 2.0), 2)
            messages.append(("readings", {"battery_id": code, "time": iso(own), **values}))
            if rng.random() < 0.02:
                messages.append(messages[-1])
        minute += rng.choice([5.0, 5.0, 5.0, 4.0, 11.0])
    return messages


async def outcome_of(postgres_url: str, template: str, batches: Sequence[Sequence[Message]]) -> dict[str, Any]:
    """Send batches to a gateway of their own and return what it ends with."""
    async with new_database(postgres_url, template=template) as url:
        clock, callers = FixedClock(NOW), Callers({})
        app = create_app(
            GatewaySettings(_env_file=None, database_url=url, jwt_secret_key="x" * 40, run_jobs=False),
            PartOverrides(clock=clock, publisher=PublishedEvents(), authenticator=callers),
        )
        async with asgi_client(app) as client:
            client.base_url = client.base_url.join("/api/v1/")
            world = World(app, client, clock, PublishedEvents())
            users = await world.rows('select username, id from "user"')
            callers.known.update(principals({row["username"]: row["id"] for row in users}))
            for body in bodies_of(batches):
                await world.post(body)
            await run_once(app.state.parts.context)
            states = await world.rows(STATES)
            return {
                "alerts": [tuple(row.values()) for row in await world.rows(ALERTS)],
                "incidents": await world.rows(INCIDENTS),
                "rollups": await world.rows(ROLLUPS),
                "runs": [without_numbers(row) for row in states],
                "locations": [without_numbers(row) for row in await world.rows(LOCATION_STATES)],
                "trends": [row["trends"] for row in await world.rows(TRENDS)],
            }


def numbers_of(trends: bytes) -> Any:
    """Return the numbers of a stored state in a row; sums may differ in their last digit."""
    return structured_to_unstructured(np.frombuffer(trends, TREND_RECORD), dtype=np.float64)


def without_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out the numbers of alert rows, which follow the order in which they were written."""
    for state in (row["rule_state"] or {}).values():
        for kept in ("alert", "closed"):
            state.get(kept, {}).pop("alert_id", None)
    return row


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
async def test_transport_does_not_decide(postgres_url: str, alert_template: str, seed: int) -> None:
    trace = random_trace(seed)
    in_order = sorted(trace, key=lambda message: datetime.fromisoformat(message[1]["time"]))
    expected = await outcome_of(postgres_url, alert_template, [[message] for message in in_order])
    assert expected["alerts"], "the trace raises nothing, so it tests nothing"
    cut = await outcome_of(postgres_url, alert_template, cut_and_shuffle(trace, seed))
    assert cut["alerts"] == expected["alerts"]
    assert cut["incidents"] == expected["incidents"]
    assert cut["runs"] == expected["runs"]
    assert cut["rollups"] == expected["rollups"]
    assert cut["locations"] == expected["locations"]
    for one, other in zip(cut["trends"], expected["trends"], strict=True):
        assert (one is None) is (other is None)
        if one is not None:
            np.testing.assert_allclose(numbers_of(one), numbers_of(other))
