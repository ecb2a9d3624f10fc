"""However the readings of a trace come, and whenever the twin was away, the same estimates come of them."""

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from battery_api.twin import discharge_repository
from battery_api.twin.replay import job
from battery_contracts.clients.errors import ServiceUnavailable
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.enums import Provenance
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_servicekit.testing.postgres import new_database
from tests.support.transport import Message, bodies_of, cut_and_shuffle

from .conftest import opened
from .world import BATTERIES, HERE, NOW, PER_STRING, World, iso

MEMBERS = BATTERIES[:PER_STRING]
BEGIN = NOW - timedelta(hours=22)
"""Three hours before midnight in Bangkok."""
MINUTES = 8 * 60
# Whether a reading came late is a matter of its transport.
READINGS = "select battery_id, time, current_a, soc_pct, soh_pct, quality & ~8 as quality from telemetry order by 1, 2"
STATES = """
    select battery_id, soc_pct, soc_sd_pct, soh_pct, soh_provenance, encode(twin_state, 'hex') as twin_state
    from battery_state where time is not null order by 1
"""
DAYS = "select battery_id, day, time, soc_pct, soh_pct from digital_twin_state order by 1, 2"


class RememberingTwin(ConstantTwin):
    """Answers with a number that follows from everything that it was ever facts of a battery, in that order.

    It refuses some readings, and is away while ``is_down``.
    """

    is_down = False

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        if self.is_down:
            raise ServiceUnavailable("digital-twin", "ConnectError")
        columns = {name: column for name, column in request.model_dump().items() if column is not None}
        states = columns.pop("state")
        known: dict[str, bytes | None] = {}
        waited_s: dict[str, float] = {}
        last: dict[str, int] = {}
        numbers: list[float | None] = []
        for slot, battery in enumerate(request.battery_id):
            before = known.get(battery, states[slot])
            facts = {name: column[slot] for name, column in columns.items()}
            since_s = 0.0 if before is None else facts["dt_s"] + waited_s.get(battery, 0.0)
            if round(facts["voltage_v"] * 1000) % 17 == 0:
                known[battery], waited_s[battery] = before, since_s
                numbers.append(None)
                continue
            text = repr(sorted((facts | {"dt_s": round(since_s, 6)}).items()))
            digest = hashlib.sha256((before or b"") + text.encode()).digest()
            known[battery], waited_s[battery], last[battery] = digest[:8], 0.0, slot
            numbers.append(round(int.from_bytes(digest[:4], "big") / 2**32 * 100.0, 3))
        count = len(numbers)
        return EstimateResponse(
            soc_pct=numbers,
            soc_sd_pct=[None if one is None else one / 10 for one in numbers],
            soh_pct=[None if one is None else 100.0 - one / 2 for one in numbers],
            soh_sd_pct=[None if one is None else 3.0 for one in numbers],
            soc_provenance=[None if one is None else Provenance.PRIOR_ONLY for one in numbers],
            soh_provenance=[None if one is None else Provenance.DISCHARGE_INFERRED for one in numbers],
            resistance_mohm=[None] * count,
            resistance_sd_mohm=[None] * count,
            normalised_innovation_squared=[None] * count,
            state=[known[code] if last.get(code) == slot else None for slot, code in enumerate(request.battery_id)],
            error=["voltage_v: not believed" if one is None else None for one in numbers],
        )


def random_trace(seed: int) -> list[Message]:
    """Return the messages of a night in order of time: floats, two discharges, gaps and lost channels."""
    rng = random.Random(seed)  # a repeatable trace, no secret
    outages = [(rng.uniform(60, 200), rng.uniform(20, 60)), (rng.uniform(300, 400), rng.uniform(20, 60))]
    messages: list[Message] = []
    minute = 0.0
    while minute < MINUTES:
        discharges = any(begin <= minute < begin + length for begin, length in outages)
        at = BEGIN + timedelta(minutes=minute)
        if rng.random() < 0.9:
            current_a = -60.0 if discharges else rng.choice([0.1, 0.2, 5.0])
            row = {"string_id": HERE, "time": iso(at), "current_a": current_a}
            row |= {"float_current_ma": round(rng.uniform(30, 60), 1)} if rng.random() < 0.6 else {}
            messages.append(("string_readings", row))
        for position, code in enumerate(MEMBERS):
            if rng.random() < 0.05:
                continue
            own = at + timedelta(seconds=rng.choice([0, 3 * position]))
            values = {"voltage_v": round(12.3 if discharges else 13.62 + rng.gauss(0, 0.02), 3)}
            values |= {"temperature_c": round(25 + rng.gauss(0, 0.2), 2)} if rng.random() < 0.9 else {}
            values |= {"internal_resistance_mohm": round(3.5 + rng.random(), 2)} if rng.random() < 0.05 else {}
            messages.append(("readings", {"battery_id": code, "time": iso(own), **values}))
        minute += rng.choice([5.0, 5.0, 4.0, 11.0])
    return messages


async def keep_days(world: World) -> None:
    """Keep the estimates of the day, as the job of the twin's record does."""
    async with world.database.begin() as connection:
        await discharge_repository.write_daily_estimates(connection, world.clock.now())


async def outcome_of(
    postgres_url: str,
    template: str,
    batches: Sequence[Sequence[Message]],
    *,
    away: tuple[float, float] = (1.0, 1.0),
) -> dict[str, Any]:
    """Send batches to a gateway of its own, whose twin is away for a part of them; return what it ends with."""
    twin = RememberingTwin()
    async with new_database(postgres_url, template=template) as url:
        async for world in opened(url, pooling=True, twin=twin):
            world.clock.set(BEGIN)
            for number, body in enumerate(bodies_of(batches)):
                times = [datetime.fromisoformat(row["time"]) for rows in body.values() for row in rows]
                world.clock.set(max(world.clock.now(), *times))
                twin.is_down = away[0] <= number / len(batches) < away[1]
                await world.post(body)
                await keep_days(world)
                if number % 97 == 50:
                    await job.run_once(world.context, world.app.state.parts.catalogue)
            twin.is_down = False
            await world.follow_up()
            return {name: await world.rows(query) for name, query in (("r", READINGS), ("s", STATES), ("d", DAYS))}
    raise AssertionError("no world was opened")


def in_order(trace: Sequence[Message]) -> list[list[Message]]:
    """Return the messages of each instant as one batch, oldest first."""
    by_time: dict[str, list[Message]] = {}
    for message in sorted(trace, key=lambda message: datetime.fromisoformat(message[1]["time"])):
        by_time.setdefault(message[1]["time"], []).append(message)
    return list(by_time.values())


@pytest.mark.parametrize("seed", range(2))
async def test_transport_does_not_decide(postgres_url: str, twin_template: str, seed: int) -> None:
    trace = random_trace(seed)
    expected = await outcome_of(postgres_url, twin_template, in_order(trace))
    assert len(expected["d"]) >= 2 * PER_STRING
    for batches, away in (
        (cut_and_shuffle(trace, seed), (1.0, 1.0)),
        (in_order(trace)[::-1], (1.0, 1.0)),
        ([[message] for batch in in_order(trace) for message in batch], (0.2, 0.6)),
    ):
        found = await outcome_of(postgres_url, twin_template, batches, away=away)
        assert found == expected
