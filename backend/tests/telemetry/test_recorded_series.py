"""What was measured of strings and rooms can be read again, as points and as files."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from battery_api.accounts.principal import Principal, Scope
from battery_api.telemetry.schemas import EnvironmentSeries, StringSeries

from .world import BATTERIES, LOCATIONS, NOW, STRINGS, Gateway, ago, iso, reading

ELSEWHERE = Principal("reader", None, None, frozenset(Scope), frozenset({LOCATIONS[1]}))


def of_string(seconds_ago: float, string_id: str = STRINGS[0], **values: Any) -> dict[str, Any]:
    return {"string_id": string_id, "time": iso(ago(seconds_ago)), **values}


def of_room(seconds_ago: float, location_id: str = LOCATIONS[0], **values: Any) -> dict[str, Any]:
    return {"location_id": location_id, "time": iso(ago(seconds_ago)), **values}


async def store(gateway: Gateway, strings: Sequence[Any] = (), rooms: Sequence[Any] = ()) -> None:
    result = await gateway.post({"readings": [], "string_readings": list(strings), "site_readings": list(rooms)})
    assert result.rejected_count == 0, result.rejected


async def get(gateway: Gateway, path: str, **query: Any) -> dict[str, Any]:
    async with gateway.client() as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_single_readings_come_back_as_they_were_sent(gateway: Gateway) -> None:
    await store(
        gateway,
        [
            of_string(120, voltage_v=40.6, current_a=0.0, float_current_ma=41.5, ripple_voltage_v=0.31, mode="float"),
            of_string(60, current_a=-12.4, mode="discharge"),
        ],
    )
    series = await get(gateway, f"/strings/{STRINGS[0]}/telemetry")
    StringSeries.model_validate(series)
    columns = series["columns"]
    assert (series["string_id"], series["resolution"], series["bucket_s"]) == (STRINGS[0], "raw", None)
    assert columns["time"] == [iso(ago(120)), iso(ago(60))]
    assert columns["voltage_v"]["last"] == [40.6, None]
    assert columns["float_current_ma"]["mean"] == [41.5, None]
    assert columns["current_a"]["min"] == [0.0, -12.4]
    assert columns["reported_mode"] == {"last": ["float", "discharge"], "seen": [["float"], ["discharge"]]}


async def test_a_room_has_states_beside_numbers(gateway: Gateway) -> None:
    await store(
        gateway,
        rooms=[
            of_room(180, ambient_c=23.1, humidity_pct=54.0, hvac="running", mains=True),
            of_room(120, ambient_c=23.4, mains=False),
        ],
    )
    series = await get(gateway, f"/locations/{LOCATIONS[0]}/environment")
    EnvironmentSeries.model_validate(series)
    columns = series["columns"]
    assert columns["ambient_c"]["last"] == [23.1, 23.4]
    assert columns["humidity_pct"]["last"] == [54.0, None]
    assert columns["hvac"] == {"last": ["running", None], "seen": [["running"], []]}
    assert columns["mains"] == {"last": [True, False], "seen": [[True], [False]]}


async def test_a_bucket_shows_the_spike_and_the_short_outage(gateway: Gateway) -> None:
    """An hour of rooms at 24.0 °C each minute, with one minute at 31.0 °C and without mains."""
    minutes = range(120, 60, -1)
    hot = 90
    await store(
        gateway, rooms=[of_room(60.0 * at, ambient_c=31.0 if at == hot else 24.0, mains=at != hot) for at in minutes]
    )
    series = await get(gateway, f"/locations/{LOCATIONS[0]}/environment", resolution="1h", start=iso(ago(7200)))
    columns = series["columns"]
    assert (series["bucket_s"], columns["count"]) == (3600, [60])
    (low, high, mean, last) = (columns["ambient_c"][name][0] for name in ("min", "max", "mean", "last"))
    assert (low, high, last) == (24.0, 31.0, 24.0)
    # Each value stands for its minute.
    assert mean == pytest.approx((59 * 24.0 + 31.0) / 60, abs=0.01)
    assert columns["mains"] == {"last": [True], "seen": [[False, True]]}


async def test_auto_never_gives_more_points_than_asked_for(gateway: Gateway) -> None:
    await store(gateway, [of_string(60.0 * at, current_a=float(at % 7)) for at in range(1, 121)])
    series = await get(gateway, f"/strings/{STRINGS[0]}/telemetry", start=iso(ago(7200)), max_points=30)
    assert (series["resolution"], series["bucket_s"]) == ("5m", 300)
    assert series["point_count"] == len(series["columns"]["time"]) <= 30
    assert sum(series["columns"]["count"]) == 120
    assert max(series["columns"]["current_a"]["max"]) == 6.0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"resolution": "raw", "max_points": 10}, "resolution_too_fine"),
        ({"resolution": "1m", "max_points": 10}, "resolution_too_fine"),
        ({"start": iso(NOW - timedelta(days=93))}, "invalid_span"),
        ({"start": iso(NOW), "end": iso(ago(60))}, "invalid_span"),
    ],
)
async def test_what_is_too_much_is_refused(gateway: Gateway, query: dict[str, Any], code: str) -> None:
    await store(gateway, [of_string(60.0 * at, current_a=1.0) for at in range(1, 31)])
    async with gateway.client() as client:
        answer = await client.get(f"/strings/{STRINGS[0]}/telemetry", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_nothing_measured_is_an_empty_history(gateway: Gateway) -> None:
    for path in (f"/strings/{STRINGS[0]}/telemetry", f"/locations/{LOCATIONS[0]}/environment"):
        series = await get(gateway, path)
        assert series["point_count"] == 0
        assert all(
            values in ([], {"last": [], "seen": []}) or set(map(tuple, values.values())) == {()}
            for values in series["columns"].values()
        )


async def test_what_one_may_not_see_is_not_there(gateway: Gateway) -> None:
    async with gateway.client(ELSEWHERE) as client:
        answers = [
            await client.get(f"/strings/{STRINGS[0]}/telemetry"),
            await client.get("/strings/DC-NON-01-UPS-01-STR-01/telemetry"),
            await client.get(f"/locations/{LOCATIONS[0]}/environment"),
            await client.get("/locations/DC-NON-01/environment"),
            await client.get("/telemetry/export", params={"series": "string", "string_id": STRINGS[0]}),
            await client.get("/telemetry/export", params={"series": "environment", "location_id": LOCATIONS[0]}),
        ]
    assert {answer.status_code for answer in answers} == {404}
    string, nowhere, room, no_room, *files = (answer.json() for answer in answers)
    assert string["code"] == nowhere["code"] == files[0]["code"] == "string_not_found"
    assert room["code"] == no_room["code"] == files[1]["code"] == "location_not_found"


async def exported(client: httpx.AsyncClient, **query: str) -> list[dict[str, str]]:
    answer = await client.get("/telemetry/export", params={"start": iso(ago(86_400)), **query})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_files_hold_the_readings_of_strings_and_rooms(gateway: Gateway) -> None:
    await store(
        gateway,
        [of_string(60.0 * at, code, current_a=0.5, mode="float") for at in (1, 2, 3) for code in STRINGS[:2]],
        [of_room(60.0 * at, ambient_c=23.1, mains=at != 2) for at in (1, 2, 3)],
    )
    async with gateway.client() as client:
        of_location = await exported(client, series="string", location_id=LOCATIONS[0])
        of_one = await exported(client, series="string", string_id=STRINGS[0])
        room = await exported(client, series="environment", location_id=LOCATIONS[0])
        query = {"series": "environment", "location_id": LOCATIONS[0], "format": "parquet"}
        table = pq.read_table(io.BytesIO((await client.get("/telemetry/export", params=query)).content))
    assert {line["string_id"] for line in of_location} >= {STRINGS[0]}
    assert [line["string_id"] for line in of_one] == [STRINGS[0]] * 3
    assert list(of_one[0]) == [
        "string_id",
        "time",
        "voltage_v",
        "current_a",
        "float_current_ma",
        "ripple_voltage_v",
        "ripple_current_a",
        "mode",
        "reported_mode",
    ]
    assert [(line["ambient_c"], line["mains"]) for line in room] == [
        ("23.1", "true"),
        ("23.1", "false"),
        ("23.1", "true"),
    ]
    assert table.column("mains").to_pylist() == [True, False, True]


@pytest.mark.parametrize(
    "query",
    [
        {"series": "string", "battery_id": BATTERIES[0]},
        {"series": "environment", "battery_id": BATTERIES[0]},
        {"series": "environment", "string_id": STRINGS[0]},
    ],
)
async def test_a_series_needs_its_kind_of_id(gateway: Gateway, query: dict[str, str]) -> None:
    async with gateway.client() as client:
        answer = await client.get("/telemetry/export", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_selection")


async def test_batteries_are_what_is_exported_by_default(gateway: Gateway) -> None:
    await gateway.post({"readings": [reading()]})
    async with gateway.client() as client:
        (line,) = await exported(client, battery_id=BATTERIES[0])
    assert (line["battery_id"], line["voltage_v"]) == (BATTERIES[0], "13.65")
