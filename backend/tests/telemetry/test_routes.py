import csv
import io
import json
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from battery_api.accounts.principal import Principal, Scope
from battery_api.telemetry.store.rollups import run_once

from .world import BATTERIES, LOCATIONS, NOW, Gateway, ago, columns, iso, packed, reading

FINE = reading()


async def outcome(client: httpx.AsyncClient, bad: Any, *, raw: str | None = None) -> tuple[int, list[str]]:
    content = raw if raw is not None else json.dumps({"readings": [FINE, bad]})
    response = await client.post("/telemetry", content=content)
    assert response.headers["content-type"].startswith("application/")
    body = response.json()
    return response.status_code, [rejection["code"] for rejection in body.get("rejected", [])] or [body.get("code")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"voltage_v": "13.65"}, "malformed"),
        ({"voltage_v": True}, "malformed"),
        ({"voltage_v": [13.6]}, "malformed"),
        ({"voltage_v": float("nan")}, "not_finite"),
        ({"voltage_v": float("inf")}, "not_finite"),
        ({"current_a": float("-inf")}, "not_finite"),
        ({"voltage_v": 13_650}, "wrong_scale"),
        ({"voltage_v": 31.0}, "out_of_range"),
        ({"temperature_c": 298.15}, "out_of_range"),
        ({"battery_id": "BAT-DC-ZZZ-01-UPS-01-STR-01-001"}, "unknown_id"),
        ({"battery_id": "'; drop table telemetry; --"}, "unknown_id"),
        ({"battery_id": None}, "missing_field"),
        ({"battery_id": 7}, "malformed"),
        ({"time": 1_763_640_000}, "bad_time"),
        ({"time": "1763640000"}, "bad_time"),
        ({"time": "2026-11-20T11:59:00"}, "bad_time"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": iso(NOW + timedelta(hours=1))}, "future"),
        ({"time": "2019-01-01T00:00:00Z"}, "too_old"),
        ({"soc_pct": 90.0}, "malformed"),
        ({"voltage_v": None, "current_a": None}, "no_values"),
    ],
)
async def test_a_bad_reading_is_refused_by_name_and_the_others_are_taken(
    gateway: Gateway, change: dict[str, Any], code: str
) -> None:
    async with gateway.client() as client:
        assert await outcome(client, FINE | change) == (200, [code])
    (stored,) = await gateway.rows("select count(*) from telemetry")
    assert stored["count"] == 1


async def test_an_exact_repeat_in_a_batch_is_a_duplicate(gateway: Gateway) -> None:
    result = await gateway.post({"readings": [FINE, FINE]})
    assert (result.accepted, result.duplicates, result.rejected_count) == (1, 1, 0)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[",
        "[]",
        "null",
        '{"readings": 5}',
        '{"columns": {"battery_id": ["x"]}}',
        '{"unknown": []}',
        "[" * 50_000,
        '{"columns": {"battery_id": ["a"], "time": []}}',
        '{"readings": [NaN',
    ],
)
async def test_a_malformed_batch_is_422_and_names_the_fault(gateway: Gateway, raw: str) -> None:
    async with gateway.client() as client:
        assert await outcome(client, None, raw=raw) == (422, ["malformed_batch"])


async def test_a_broken_column_length_or_encoding_is_named(gateway: Gateway) -> None:
    async with gateway.client() as client:
        odd = await client.post("/telemetry", content=b"x", headers={"Content-Encoding": "br"})
        torn = await client.post("/telemetry", content=packed({"readings": [FINE]})[:-9], headers=GZIP)
        junk = await client.post("/telemetry", content=b"no gzip at all", headers=GZIP)
        packed_well = await client.post("/telemetry", content=packed({"readings": [FINE]}), headers=GZIP)
    assert (odd.status_code, odd.json()["code"]) == (415, "unsupported_encoding")
    assert (torn.status_code, junk.status_code) == (422, 422)
    assert packed_well.json()["accepted"] == 1


GZIP = {"Content-Encoding": "gzip"}


async def test_too_many_readings_are_413(gateway: Gateway) -> None:
    many = columns([reading(at=ago(second / 10)) for second in range(20_001)])
    async with gateway.client() as client:
        response = await client.post("/telemetry", content=packed(many), headers=GZIP)
        hundred_thousand = "[" + ",".join(['{"battery_id":"x"}'] * 400_000) + "]"
        more = await client.post("/telemetry", content=f'{{"readings": {hundred_thousand}}}')
    assert (response.status_code, response.json()["code"]) == (413, "too_many_readings")
    assert (more.status_code, more.json()["code"]) == (413, "too_many_readings")


async def test_a_bomb_and_a_flood_stop_early(gateway: Gateway) -> None:
    squeezer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(64)) + squeezer.flush()
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += 1
            yield bytes(1 << 20)

    async with gateway.client() as client:
        inflated = await client.post("/telemetry", content=bomb, headers=GZIP)
        flooded = await client.post("/telemetry", content=flood())
        declared = await client.post("/telemetry", content=bytes(17 << 20))
    codes = [response.json()["code"] for response in (inflated, flooded, declared)]
    assert codes == ["batch_too_large"] * 3
    assert [response.status_code for response in (inflated, flooded, declared)] == [413] * 3
    assert sent >= 17


async def test_latest_is_one_answer_with_a_tag(gateway: Gateway) -> None:
    ohmic = reading(at=ago(60), temperature_c=35.0, internal_resistance_mohm=3.4)
    await gateway.post({"readings": [ohmic]})
    async with gateway.client() as client:
        first = await client.get("/telemetry/latest")
        same = await client.get("/telemetry/latest", headers={"If-None-Match": first.headers["etag"]})
        await gateway.post({"readings": [reading(at=ago(1))]})
        moved = await client.get("/telemetry/latest", headers={"If-None-Match": first.headers["etag"]})
        one = await client.get("/telemetry/latest", params={"location_id": LOCATIONS[1]})
        none = await client.get("/telemetry/latest", params={"location_id": "DC-ZZZ-09"})
    assert (first.status_code, same.status_code, moved.status_code, none.status_code) == (200, 304, 200, 404)
    answer = first.json()
    at = answer["columns"]["battery_id"].index(BATTERIES[0])
    assert len(answer["columns"]["battery_id"]) == len(BATTERIES)
    assert answer["columns"]["voltage_v"][at] == 13.65
    # 3.4 mΩ at 35 °C is 8.3 % more than 3.4 mΩ at 25 °C: R25 = R / exp(-0.008 * 10).
    assert answer["columns"]["resistance_drift_pct"][at] == 8.3
    assert answer["columns"]["status"][at] == "normal"
    assert set(answer["columns"]["status"]) == {"normal", "no_data"}
    assert answer["locations"][LOCATIONS[0]]["seq"] == 1
    assert moved.json()["locations"][LOCATIONS[0]]["seq"] == 2
    assert set(one.json()["locations"]) == {LOCATIONS[1]}


async def test_a_silent_battery_has_no_data(gateway: Gateway) -> None:
    await gateway.post({"readings": [reading(at=ago(60))]})
    gateway.clock.advance(timedelta(minutes=10))
    async with gateway.client() as client:
        answer = (await client.get("/telemetry/latest")).json()
    assert set(answer["columns"]["status"]) == {"no_data"}


async def test_callers_see_their_locations_only(gateway: Gateway) -> None:
    limited = Principal("viewer", None, None, frozenset(Scope), frozenset({LOCATIONS[0]}))
    async with gateway.client(limited) as client:
        latest = (await client.get("/telemetry/latest")).json()
        foreign = [
            await client.get("/telemetry/latest", params={"location_id": LOCATIONS[1]}),
            await client.get(f"/batteries/{BATTERIES[-1]}/telemetry"),
            await client.get("/telemetry/export", params={"battery_id": BATTERIES[-1]}),
            await client.get("/telemetry/completeness", params={"location_id": LOCATIONS[1]}),
        ]
    assert set(latest["locations"]) == {LOCATIONS[0]}
    assert [response.status_code for response in foreign] == [404] * 4


async def test_scopes_are_asked_for(gateway: Gateway) -> None:
    nobody = Principal("key", None, None, frozenset(), None)
    async with gateway.client(nobody) as client:
        assert (await client.post("/telemetry", json={})).status_code == 403
        assert (await client.get("/telemetry/latest")).status_code == 403


async def test_a_spike_survives_every_resolution(gateway: Gateway) -> None:
    spike = ago(1800)
    minutes = [reading(at=ago(60.0 * minute)) for minute in range(1, 301)]
    await gateway.post(columns([*minutes, reading(at=spike + timedelta(seconds=7), voltage_v=14.9)]))
    await run_once(gateway.context)
    path = f"/batteries/{BATTERIES[0]}/telemetry"
    seen = {}
    async with gateway.client() as client:
        for points in (1000, 100, 3):
            query: dict[str, Any] = {"start": iso(ago(18_000)), "end": iso(NOW), "max_points": points}
            series = (await client.get(path, params=query)).json()
            volts = series["columns"]["voltage_v"]
            assert series["point_count"] == len(series["columns"]["time"]) <= points
            assert max(volts["max"]) == 14.9
            assert min(volts["min"]) == 13.65
            assert sum(series["columns"]["count"]) == 301
            seen[points] = (series["resolution"], series["bucket_s"], series["source"])
        fine = await client.get(path, params={"resolution": "raw", "max_points": 5})
        backwards = await client.get(path, params={"start": iso(NOW), "end": iso(ago(5))})
        naive = await client.get(path, params={"start": "2026-11-20T00:00:00"})
    assert seen == {
        1000: ("raw", None, "telemetry"),
        100: ("3m", 180, "telemetry"),
        3: ("2h", 7200, "telemetry_hourly"),
    }
    assert (fine.status_code, fine.json()["code"]) == (422, "resolution_too_fine")
    assert backwards.json()["code"] == "invalid_span"
    assert naive.status_code == 422


async def test_a_gap_stays_a_gap(gateway: Gateway) -> None:
    await gateway.post({"readings": [reading(at=ago(7200)), reading(at=ago(60))]})
    async with gateway.client() as client:
        query = {"resolution": "1m", "start": iso(ago(18_000)), "end": iso(NOW)}
        series = (await client.get(f"/batteries/{BATTERIES[0]}/telemetry", params=query)).json()
    assert series["columns"]["time"] == [iso(ago(7200)), iso(ago(60))]


async def test_export_holds_every_row(gateway: Gateway) -> None:
    made = [reading(code, ago(10.0 * at), temperature_c=25.5) for at in range(1, 7001) for code in BATTERIES[:2]]
    await gateway.post(columns(made))
    query = {"location_id": LOCATIONS[0], "start": iso(NOW - timedelta(days=2))}
    async with gateway.client() as client:
        text = await client.get("/telemetry/export", params=query)
        table = await client.get("/telemetry/export", params=query | {"format": "parquet"})
        both = await client.get("/telemetry/export", params=query | {"battery_id": BATTERIES[0]})
    lines = list(csv.DictReader(io.StringIO(text.text)))
    rows = pq.read_table(io.BytesIO(table.content))
    assert len(lines) == len(rows) == len(made)
    assert [line["battery_id"] for line in lines] == rows.column("battery_id").to_pylist()
    assert lines[0]["time"].startswith(iso(ago(70_000))[:19])
    assert {line["voltage_v"] for line in lines} == {"13.65"}
    assert both.json()["code"] == "invalid_selection"


async def test_completeness_balances(gateway: Gateway) -> None:
    fine = [reading(at=ago(60.0 * at)) for at in range(1, 11)]
    await gateway.post({"readings": [*fine, fine[0], reading(at=ago(30), voltage_v=99.0)]})
    await gateway.post({"readings": fine[:3]})
    async with gateway.client() as client:
        query = {"battery_id": BATTERIES[0], "start": iso(ago(600)), "end": iso(NOW)}
        (line,) = (await client.get("/telemetry/completeness", params=query)).json()["items"]
    counts = {name: line[name] for name in ("received", "accepted", "late", "duplicate", "rejected")}
    assert counts == {"received": 15, "accepted": 10, "late": 0, "duplicate": 4, "rejected": 1}
    assert line["expected"] == 19 * 60  # 19 hours of that day in Bangkok have passed
