import asyncio
import itertools
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battery_api.accounts.principal import Principal, Scope
from battery_api.db.session import Database
from battery_contracts.clients.mocks import ConstantTwin, UnavailableTwin
from battery_contracts.enums import ReadingQuality, RejectCode, StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse

from .world import (
    BATTERIES,
    LOCATIONS,
    NOW,
    STRINGS,
    Gateway,
    WatchfulJudge,
    ago,
    columns,
    gateway_on,
    iso,
    reading,
    with_twin,
)

LATEST = "select battery_id, time, voltage_v, current_a, temperature_c, internal_resistance_mohm, resistance_at"
STORED = "select battery_id, time, voltage_v, current_a, temperature_c, internal_resistance_mohm from telemetry"


def sweep(at: datetime, voltage_v: float = 13.65) -> list[dict[str, Any]]:
    return [reading(code, at, voltage_v=voltage_v, temperature_c=25.0) for code in BATTERIES]


async def snapshot(gateway: Gateway) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    stored = await gateway.rows(f"{STORED} order by battery_id, time")
    latest = await gateway.rows(f"{LATEST} from battery_state order by battery_id")
    return stored, latest


async def test_both_shapes_store_the_same(gateway: Gateway) -> None:
    result = await gateway.post({"readings": sweep(ago(120))} | columns(sweep(ago(60))))
    assert (result.accepted, result.duplicates, result.rejected_count) == (24, 0, 0)
    stored = await gateway.rows("select time, count(*), sum(voltage_v) as total from telemetry group by 1 order by 1")
    assert [row["count"] for row in stored] == [12, 12]
    assert stored[0]["total"] == stored[1]["total"]


async def test_posting_twice_changes_nothing_and_says_so(gateway: Gateway) -> None:
    body = columns(sweep(ago(60))) | {
        "string_readings": [{"string_id": STRINGS[0], "time": iso(ago(60)), "current_a": 0.2}],
        "site_readings": [{"location_id": LOCATIONS[0], "time": iso(ago(60)), "mains": True}],
    }
    first = await gateway.post(body)
    before = await snapshot(gateway)
    second = await gateway.post(body)
    assert (first.accepted, first.duplicates) == (14, 0)
    assert (second.accepted, second.duplicates, second.late) == (0, 14, 0)
    assert await snapshot(gateway) == before


async def test_late_rows_fill_history_and_latest_never_goes_back(gateway: Gateway) -> None:
    await gateway.post({"readings": [reading(at=ago(60), voltage_v=13.7)]})
    result = await gateway.post({"readings": [reading(at=ago(600), voltage_v=12.0)]})
    assert (result.accepted, result.late) == (1, 1)
    (state,) = await gateway.rows("select * from battery_state where time is not null")
    assert state["time"] == ago(60)
    assert state["voltage_v"] == pytest.approx(13.7)
    late = await gateway.rows("select quality from telemetry where time = $1", (ago(600),))
    assert late[0]["quality"] & ReadingQuality.LATE


readings_of_a_day = st.lists(
    st.tuples(st.sampled_from(BATTERIES[:4]), st.integers(1, 40), st.booleans()),
    min_size=1,
    max_size=24,
    unique_by=lambda one: one[:2],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=readings_of_a_day, seed=st.integers(0, 10_000))
async def test_split_order_and_repeats_do_not_matter(
    gateway: Gateway, chosen: Sequence[tuple[str, int, bool]], seed: int
) -> None:
    made = [
        reading(
            code,
            ago(60.0 * minute),
            voltage_v=13 + minute / 100,
            temperature_c=20.0 + minute,
            internal_resistance_mohm=3 + minute / 100 if ohmic else None,
        )
        for code, minute, ohmic in chosen
    ]
    outcomes = []
    for shuffled in (False, True):
        async with gateway.database.begin() as connection:
            await connection.exec_driver_sql("truncate telemetry, reading_count")
            for table, key in (("battery_state", "battery_id"), ("string_state", "string_id")):
                await connection.exec_driver_sql(f"create temp table kept on commit drop as select {key} from {table}")
                await connection.exec_driver_sql(f"delete from {table}")
                await connection.exec_driver_sql(f"insert into {table} ({key}) select {key} from kept")
                await connection.exec_driver_sql("drop table kept")
        if shuffled:
            dice = random.Random(seed)
            sent = made + dice.sample(made, len(made) // 2)
            dice.shuffle(sent)
            cuts = sorted(dice.sample(range(len(sent) + 1), min(3, len(sent))))
            batches = [sent[a:b] for a, b in itertools.pairwise([0, *cuts, len(sent)]) if a < b]
        else:
            batches = [made]
        results = [await gateway.post({"readings": batch}) for batch in batches]
        assert sum(result.accepted for result in results) == len(made)
        assert all(result.rejected_count == 0 for result in results)
        outcomes.append(await snapshot(gateway))
        counts = await gateway.rows(COUNTS)
        assert all(row["received"] == row["accepted"] + row["duplicate"] + row["rejected"] for row in counts)
        assert sum(row["received"] for row in counts) == sum(map(len, batches))
    assert outcomes[0] == outcomes[1]


COUNTS = (
    "select sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, "
    "sum(rejected) as rejected from (select battery_id, received, accepted, duplicate, rejected from reading_count "
    "union all select battery_id, received_count, accepted_count, duplicate_count, rejected_count from battery_state) "
    "as counted group by battery_id having sum(received) > 0"
)


async def test_a_backlog_of_many_readings_of_one_battery(gateway: Gateway) -> None:
    backlog = [reading(at=ago(2 * second), voltage_v=13 + second % 10 / 10) for second in range(5000, 0, -1)]
    result = await gateway.post(columns(backlog))
    assert result.accepted == 5000
    (state,) = await gateway.rows("select time, reporting_interval_s from battery_state where time is not null")
    assert state["time"] == ago(2)
    assert state["reporting_interval_s"] == pytest.approx(2.0, rel=0.01)


async def test_parallel_senders_in_any_order_neither_block_nor_double(gateway: Gateway) -> None:
    dice = random.Random(7)

    async def sender(number: int) -> int:
        accepted = 0
        for step in range(6):
            batch = sweep(ago(600 - 10 * step))
            dice.shuffle(batch)
            accepted += (await gateway.post({"readings": batch[: 6 + number]})).accepted
        return accepted

    accepted = await asyncio.gather(*(sender(number) for number in range(8)))
    (stored,) = await gateway.rows("select count(*) from telemetry")
    assert sum(accepted) == stored["count"]
    (seqs,) = await gateway.rows("select sum(accepted_count) as accepted from battery_state")
    assert seqs["accepted"] == stored["count"]


async def test_missing_current_comes_from_the_string_at_that_time(gateway: Gateway) -> None:
    string = {"string_id": STRINGS[0], "time": iso(ago(100)), "current_a": -40.0}
    await gateway.post(
        {
            "string_readings": [string],
            "readings": [
                {"battery_id": BATTERIES[0], "time": iso(ago(90)), "voltage_v": 12.1},
                {"battery_id": BATTERIES[1], "time": iso(ago(110)), "voltage_v": 13.6},
            ],
        }
    )
    await gateway.post({"readings": [{"battery_id": BATTERIES[2], "time": iso(ago(80)), "voltage_v": 12.0}]})
    rows = await gateway.rows("select current_a, quality from telemetry order by time desc")
    assert [row["current_a"] for row in rows] == [-40.0, -40.0, None]
    filled = [bool(row["quality"] & ReadingQuality.CURRENT_FROM_STRING) for row in rows]
    assert filled == [True, True, False]


async def test_mode_follows_the_current_and_gates_the_judge(database: Database) -> None:
    judge = WatchfulJudge()
    gateway = await gateway_on(database, judge=judge)
    at = iter(range(3600, 0, -60))
    modes = []
    for current in (0.1, -50.0, 10.0, 0.3):
        when = ago(next(at))
        await gateway.post({"readings": [reading(at=when, current_a=current)]})
        modes.append((judge.batches[-1].mode[0], bool(judge.batches[-1].settled[0])))
    assert modes == [
        (StringMode.FLOAT, True),
        (StringMode.DISCHARGE, False),
        (StringMode.RECHARGE, False),
        (StringMode.RECHARGE, False),
    ]


async def test_the_judge_sees_only_newer_readings_in_time_order(database: Database) -> None:
    judge = WatchfulJudge()
    gateway = await gateway_on(database, judge=judge)
    await gateway.post({"readings": [reading(at=ago(300))]})
    await gateway.post({"readings": [reading(at=ago(at)) for at in (60, 120, 300)]})
    times = judge.batches[-1].battery_readings.time.tolist()
    assert times == [ago(120).replace(tzinfo=None), ago(60).replace(tzinfo=None)]


async def test_a_batch_with_a_late_reading_waits_to_be_judged_in_order_of_time(database: Database) -> None:
    judge = WatchfulJudge()
    gateway = await gateway_on(database, judge=judge)
    await gateway.post({"readings": [reading(at=ago(300))]})
    await gateway.post({"readings": [reading(at=ago(at)) for at in (60, 400)]})
    assert len(judge.batches) == 1
    assert len(judge.due_again) == 1
    (state,) = await gateway.rows("select rejudge_from from string_state where rejudge_from is not null")
    assert state["rejudge_from"] == ago(400)


async def test_dangerous_values_are_stored_and_flagged(gateway: Gateway) -> None:
    values: list[dict[str, Any]] = [{"voltage_v": 0.0}, {"voltage_v": -2.0}, {"temperature_c": 70.0}]
    await gateway.post(
        {"readings": [reading(at=ago(10 * number), **value) for number, value in enumerate(values, start=1)]}
    )
    rows = await gateway.rows("select quality from telemetry")
    assert len(rows) == 3
    assert all(row["quality"] & ReadingQuality.DANGEROUS for row in rows)


async def test_a_month_without_a_partition_is_made_on_the_way(gateway: Gateway) -> None:
    result = await gateway.post({"readings": [reading(at=NOW - timedelta(days=400))]})
    assert result.accepted == 1


async def test_the_day_changes_at_midnight_in_bangkok(gateway: Gateway) -> None:
    midnight = NOW.replace(hour=17) - timedelta(days=1)
    await gateway.post({"readings": [reading(at=midnight - timedelta(seconds=1))]})
    await gateway.post({"readings": [reading(at=midnight)]})
    await gateway.post({"readings": [reading(at=midnight - timedelta(seconds=9))]})
    closed = await gateway.rows("select day, received, accepted, late from reading_count")
    assert closed == [{"day": midnight - timedelta(days=1), "received": 2, "accepted": 2, "late": 1}]
    (state,) = await gateway.rows("select count_day, received_count from battery_state where count_day is not null")
    assert state == {"count_day": midnight, "received_count": 1}


async def test_no_twin_leaves_no_estimate_and_says_so(gateway: Gateway) -> None:
    dead = with_twin(gateway, UnavailableTwin())
    assert (await dead.post({"readings": [reading()]})).accepted == 1
    (row,) = await gateway.rows("select soc_pct, soh_pct, quality from telemetry")
    assert row["soc_pct"] is None
    assert row["quality"] & ReadingQuality.TWIN_UNAVAILABLE


async def test_the_twin_gets_its_own_state_back_for_each_reading(gateway: Gateway) -> None:
    twin = ConstantTwin(soc_pct=90.0, soh_pct=80.0)
    with_it = with_twin(gateway, twin)
    await with_it.post({"readings": [reading(at=ago(at)) for at in (300, 200)]})
    await with_it.post({"readings": [reading(at=ago(100)), reading(at=ago(250))]})
    assert [request.dt_s for request in twin.requests] == [[None, 100.0], [100.0]]
    (state,) = await gateway.rows("select * from battery_state where time is not null")
    assert (state["soc_pct"], state["soh_pct"], state["twin_state_version"]) == (90.0, 80.0, 2)
    assert state["twin_state"][8:] == b"3"
    rows = await gateway.rows("select soc_pct from telemetry order by time")
    assert [row["soc_pct"] for row in rows] == [90.0, None, 90.0, 90.0]


async def test_readings_beyond_what_ingest_waits_for_are_marked(gateway: Gateway) -> None:
    with_it = with_twin(gateway, ConstantTwin(soc_pct=90.0, soh_pct=80.0))
    await with_it.post({"readings": [reading(at=ago(2 * second)) for second in range(100, 0, -1)]})
    rows = await gateway.rows("select soc_pct, quality from telemetry order by time")
    marked = [bool(row["quality"] & ReadingQuality.TWIN_UNAVAILABLE) for row in rows]
    assert 10 < sum(marked) < 90
    assert [row["soc_pct"] is None for row in rows] == marked


class SlowTwin(ConstantTwin):
    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        await asyncio.sleep(30)
        return await super().estimate(request)


class ImplausibleTwin(ConstantTwin):
    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        return (await super().estimate(request)).model_copy(update={"soc_pct": [4000.0] * len(request.battery_id)})


@pytest.mark.parametrize("twin", [SlowTwin(), ImplausibleTwin()])
async def test_a_slow_or_wrong_twin_never_reaches_the_store(database: Database, twin: ConstantTwin) -> None:
    gateway = with_twin(await gateway_on(database, twin_timeout_s=0.1), twin)
    async with asyncio.timeout(5):
        assert (await gateway.post({"readings": [reading()]})).accepted == 1
    (row,) = await gateway.rows("select soc_pct, soh_pct, quality from telemetry")
    assert (row["soc_pct"], row["soh_pct"]) == (None, None)
    assert row["quality"] & ReadingQuality.TWIN_UNAVAILABLE


class OvertakenTwin(ConstantTwin):
    """Another replica stores an estimate of the battery while this one is asked."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        async with self._database.begin() as connection:
            await connection.exec_driver_sql("update battery_state set twin_state_version = twin_state_version + 1")
        return await super().estimate(request)


async def test_an_estimate_overtaken_twice_is_left_out(database: Database) -> None:
    twin = OvertakenTwin(database)
    gateway = with_twin(await gateway_on(database), twin)
    assert (await gateway.post({"readings": [reading()]})).accepted == 1
    assert len(twin.requests) == 2
    (row,) = await gateway.rows("select soc_pct from telemetry")
    assert row["soc_pct"] is None


async def test_a_limited_key_gets_the_same_answer_for_foreign_and_for_unknown_ids(gateway: Gateway) -> None:
    limited = Principal("key", None, None, frozenset(Scope), frozenset({LOCATIONS[0]}))
    foreign, made_up = BATTERIES[-1], "BAT-DC-NON-01-UPS-01-STR-01-001"
    body = {
        "readings": [
            reading(foreign),
            reading(made_up),
            reading(foreign, voltage_v=99.0),
            reading(made_up, voltage_v=99.0),
        ],
        "string_readings": [
            {"string_id": code, "time": iso(NOW), "current_a": 1.0} for code in (STRINGS[-1], "DC-NON")
        ],
        "site_readings": [
            {"location_id": code, "time": iso(NOW), "ambient_c": 20.0} for code in (LOCATIONS[1], "DC-NON")
        ],
    }
    result = await gateway.post(body, limited)
    assert result.rejected_count == 8
    answers = [(entry.list, entry.code, entry.detail.replace(made_up, foreign)) for entry in result.rejected]
    assert {code for _, code, _ in answers} == {RejectCode.UNKNOWN_ID}
    assert len({detail for kind, _, detail in answers if kind == "readings"}) == 1
    assert all(" in your locations has the id " in detail for _, _, detail in answers)


async def test_refused_readings_count_where_the_battery_is_known(gateway: Gateway) -> None:
    limited = Principal("key", None, None, frozenset(Scope), frozenset({LOCATIONS[0]}))
    bad = [reading(voltage_v=13_650.0), reading(at=ago(70), voltage_v=99.0), reading(BATTERIES[-1])]
    result = await gateway.post({"readings": [*bad, reading(at=ago(80))]}, limited)
    assert [rejection.code.value for rejection in result.rejected] == ["wrong_scale", "out_of_range", "unknown_id"]
    (counted,) = await gateway.rows(COUNTS)
    assert {name: int(value) for name, value in counted.items()} == {
        "received": 3,
        "accepted": 1,
        "duplicate": 0,
        "rejected": 2,
    }


async def test_ingest_on_timescale(timescale_gateway: Gateway) -> None:
    body = columns(sweep(ago(60)))
    first, second = await timescale_gateway.post(body), await timescale_gateway.post(body)
    assert (first.accepted, second.accepted, second.duplicates) == (12, 0, 12)
    late = await timescale_gateway.post({"readings": [reading(at=NOW - timedelta(days=9))]})
    assert (late.accepted, late.late) == (1, 1)
