import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from battery_api.twin.blocks import UNKNOWN_SOC_SD_PCT, UNKNOWN_SOH_SD_PCT
from battery_contracts.enums import Provenance, ReadingQuality
from battery_contracts.twin_analysis import BlockState, LoadStep, SimulateRequest

from .world import BATTERIES, FIRST, HERE, LOCATIONS, NOW, PER_STRING, RATED_AH, STRINGS, World, named

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
THERE = next(code for code in STRINGS if LOCATIONS[1] in code)
THERES_BATTERY = next(code for code in BATTERIES if THERE in code)


async def test_the_twin_of_a_battery_without_readings_has_no_estimate(world: World) -> None:
    found = await world.get(f"batteries/{FIRST}/twin")
    assert found["time"] is None
    assert found["is_stale"]
    for name in ("soc", "soh"):
        assert (found[name]["value_pct"], found[name]["reason"]) == (None, "no_estimate_yet")
    assert found["evidence"] == found["history"] == []


async def test_the_twin_has_intervals_provenance_evidence_and_history(world: World) -> None:
    world.twin.soh_pct, world.twin.soh_sd_pct = 88.0, 3.0
    world.twin.provenance = Provenance.DISCHARGE_INFERRED
    await world.outage(NOW - 2 * DAY, 30, step_s=10)
    await world.record()
    world.twin.soh_pct = 87.0
    await world.post({"readings": [ohmic(NOW - HOUR, 4.25)]})
    await world.load(0.1, [NOW], volts=13.6)
    await world.record()
    found = await world.get(f"batteries/{FIRST}/twin")
    assert found["soh"] == {
        "value_pct": 87.0,
        "low_pct": pytest.approx(87 - 1.645 * 3, abs=0.05),
        "high_pct": pytest.approx(87 + 1.645 * 3, abs=0.05),
        "provenance": "discharge_inferred",
        "reason": None,
    }
    assert found["soc"]["provenance"] == "prior_only"
    resistance, discharge = found["evidence"]
    assert (resistance["kind"], resistance["resistance_drift_pct"]) == ("ohmic", pytest.approx(25.0))
    assert resistance["age_days"] == pytest.approx(1 / 24, abs=0.005)
    assert (discharge["kind"], discharge["soh"]["value_pct"]) == ("discharge", 88.0)
    assert discharge["depth_pct"] == pytest.approx(100 * 60 * 0.5 / RATED_AH, rel=0.01)
    assert discharge["age_days"] == pytest.approx(2 - 0.5 / 24, abs=0.005)
    assert [(day["day"], day["soh"]["value_pct"]) for day in found["history"]] == [
        ("2026-11-18", 88.0),
        ("2026-11-20", 87.0),
    ]
    today = await world.get(f"batteries/{FIRST}/twin", history_days=1)
    assert [day["day"] for day in today["history"]] == ["2026-11-20"]


def ohmic(at: Any, mohm: float) -> dict[str, Any]:
    values = {"voltage_v": 13.6, "temperature_c": 25.0, "internal_resistance_mohm": mohm}
    return {"battery_id": FIRST, "time": at.isoformat(), **values}


async def test_charge_of_a_silent_battery_is_withheld_and_health_is_not(world: World) -> None:
    await world.load(0.1, [NOW - HOUR], volts=13.6)
    found = await world.get(f"batteries/{FIRST}/twin")
    assert found["is_stale"]
    assert (found["soc"]["value_pct"], found["soc"]["reason"]) == (None, "reading_too_old")
    assert found["soh"]["value_pct"] == 95.0


async def test_an_absent_twin_is_named_as_the_reason_everywhere(world: World) -> None:
    await world.load(0.1, [NOW - MINUTE], volts=13.6)
    world.twin.is_down = True
    await world.load(0.1, [NOW], volts=13.6)
    record = await world.get(f"batteries/{FIRST}/twin")
    live = (await world.get(f"batteries/{FIRST}"))["live"]
    for estimate in (record["soc"], record["soh"], live["soc"], live["soh"]):
        assert (estimate["value_pct"], estimate["reason"]) == (None, "twin_unavailable")


async def test_discharges_of_a_battery_and_of_its_string(world: World) -> None:
    for days in (3, 2, 1):
        await world.outage(NOW - days * DAY, 1)
    await world.record()
    page = await world.get(f"batteries/{FIRST}/discharges", limit=2)
    assert (page["total"], page["skip"], page["limit"]) == (3, 0, 2)
    newest, _ = page["items"]
    assert newest["started_at"] == "2026-11-19T12:00:00Z"
    assert (newest["duration_s"], newest["mode"], newest["complete"]) == (60.0, "discharge", True)
    assert newest["lowest_battery_id"] == BATTERIES[PER_STRING - 1]
    assert newest["min_voltage_v"] == pytest.approx(12.0 * PER_STRING)
    block = {"battery_id": FIRST, "end_voltage_v": 12.0, "min_voltage_v": 12.0, "mean_temperature_c": 25.0, "soh": None}
    assert newest["block"] == block
    beyond = await world.get(f"batteries/{FIRST}/discharges", skip=10)
    assert (beyond["total"], beyond["items"]) == (3, [])
    of_string = await world.get(f"strings/{HERE}/discharges", skip=1)
    assert (of_string["total"], len(of_string["items"])) == (3, 2)
    assert [one["battery_id"] for one in of_string["items"][0]["blocks"]] == list(BATTERIES[:PER_STRING])
    assert of_string["items"][0]["blocks"][0] == block
    assert (await world.get(f"strings/{STRINGS[1]}/discharges"))["items"] == []
    assert (await world.get(f"strings/{HERE}/discharges", skip=10))["total"] == 3


async def test_a_running_discharge_is_listed_before_its_blocks_are_known(world: World) -> None:
    await world.load(-60.0, [NOW + timedelta(seconds=2 * at) for at in range(60)])
    await world.record()
    (running,) = (await world.get(f"batteries/{FIRST}/discharges"))["items"]
    assert (running["is_open"], running["complete"]) == (True, False)
    assert (running["block"]["battery_id"], running["block"]["min_voltage_v"]) == (FIRST, None)
    assert (await world.get(f"batteries/{FIRST}/discharges", skip=5))["total"] == 1


@pytest.mark.parametrize(
    "path",
    [
        f"batteries/{FIRST}/twin",
        f"batteries/{FIRST}/discharges",
        f"strings/{HERE}/discharges",
        f"strings/{HERE}/runtime?current_a=-60",
        "batteries/BAT-NONE/twin",
        "batteries/BAT-NONE/discharges",
        "strings/NONE/discharges",
        "strings/NONE/runtime",
    ],
)
async def test_what_a_caller_may_not_see_does_not_exist(world: World, path: str) -> None:
    found = await world.get(path, who="nok", status=404)
    assert found["code"] in {"battery_not_found", "string_not_found"}
    nobody = await world.client.get(path)
    assert nobody.status_code == 401
    feed = await world.client.get(path, headers=named("feed"))
    assert (feed.status_code, feed.json()["code"]) == (403, "forbidden")


async def test_a_caller_sees_his_own_location(world: World) -> None:
    assert (await world.get(f"batteries/{THERES_BATTERY}/twin", who="nok"))["battery_id"] == THERES_BATTERY
    assert (await world.get(f"strings/{THERE}/discharges", who="nok"))["total"] == 0


async def test_runtime_asks_the_twin_with_each_blocks_state(world: World) -> None:
    world.twin.soc_pct, world.twin.soh_pct = 90.0, 80.0
    await world.post({"readings": [ohmic(NOW - HOUR, 4.25)]})
    await world.load(0.1, [NOW], volts=13.6)
    found = await world.get(f"strings/{HERE}/runtime", current_a=-60)
    expected_s = 3600 * RATED_AH * 0.9 * 0.8 / 60
    assert found["simulation"]["runtime_p50_s"] == pytest.approx(expected_s)
    assert found["simulation"]["runtime_p10_s"] < expected_s < found["simulation"]["runtime_p90_s"]
    assert found["load"] == {"basis": "given", "current_a": -60.0, "power_w": None}
    assert (found["block_count"], found["assumed_battery_ids"]) == (PER_STRING, [])
    assert (found["withheld_count"], found["unknown_batteries"]) == (0, [])
    assert found["oldest_reading_at"] == "2026-11-20T12:00:00Z"
    (asked,) = world.simulator.asked
    assert [block.battery_id for block in asked.blocks] == list(BATTERIES[:PER_STRING])
    assert (asked.rated_ah, asked.cut_off_v) == (RATED_AH, 10.5)
    first = asked.blocks[0]
    assert (first.soc_pct, first.soc_sd_pct, first.soh_pct, first.soh_sd_pct) == (90.0, 5.0, 80.0, 8.0)
    assert first.resistance_ratio == pytest.approx(1.25)
    assert [block.resistance_ratio for block in asked.blocks[1:]] == [1.0, 1.0]
    by_power = await world.get(f"strings/{HERE}/runtime", power_w=720 * PER_STRING)
    assert by_power["simulation"]["runtime_p50_s"] == pytest.approx(expected_s)
    assert world.simulator.asked[-1].profile[0].power_w == pytest.approx(720)


async def test_without_a_load_the_present_one_counts_and_then_the_last(world: World) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    refused = await world.get(f"strings/{HERE}/runtime", status=422)
    assert (refused["code"], refused["errors"][0]["field"]) == ("load_invalid", "power_w")
    await world.outage(NOW + 10 * MINUTE, 1)
    await world.record()
    last = await world.get(f"strings/{HERE}/runtime")
    assert last["load"] == {"basis": "last_discharge", "current_a": pytest.approx(-60.0), "power_w": None}
    await world.load(-45.0, [NOW + HOUR])
    present = await world.get(f"strings/{HERE}/runtime")
    assert present["load"] == {"basis": "present", "current_a": -45.0, "power_w": None}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"current_a": 60}, "load_invalid"),
        ({"current_a": 0}, "load_invalid"),
        ({"current_a": -60, "power_w": 5000}, "load_invalid"),
        ({"power_w": 0}, "validation_failed"),
        ({"power_w": "nan"}, "validation_failed"),
        ({"current_a": -5000}, "validation_failed"),
    ],
)
async def test_a_load_that_is_none_is_refused(world: World, query: dict[str, Any], code: str) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    refused = await world.get(f"strings/{HERE}/runtime", status=422, **query)
    assert refused["code"] == code
    assert world.simulator.asked == []


async def test_more_power_than_a_block_can_be_asked_for_is_refused(world: World) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    refused = await world.get(f"strings/{HERE}/runtime", status=422, power_w=PER_STRING * 40_001)
    assert refused["code"] == "load_invalid"
    assert refused["errors"][0]["field"] == "power_w"


async def test_blocks_without_a_present_estimate_are_taken_as_the_worst_known(world: World) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    await world.rows(
        "update battery_state set soc_pct = case when battery_id % 3 = 1 then 70 else 90 end, soh_sd_pct = 4, "
        "soh_pct = case when battery_id % 3 = 1 then 99 else 60 end"
    )
    await world.rows(
        "update battery_state s set soc_pct = null from battery b where b.id = battery_id and b.code = $1", FIRST_THIRD
    )
    found = await world.get(f"strings/{HERE}/runtime", current_a=-60)
    assert found["assumed_battery_ids"] == [FIRST_THIRD]
    assumed = world.simulator.asked[0].blocks[2]
    # It may be worse than the worst known one, so its deviations are larger.
    assert (assumed.soc_pct, assumed.soc_sd_pct) == (70.0, UNKNOWN_SOC_SD_PCT)
    assert (assumed.soh_pct, assumed.soh_sd_pct) == (60.0, UNKNOWN_SOH_SD_PCT)


FIRST_THIRD = BATTERIES[2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("""rule_state = '{"sensor_fault": {"alert": {"rule_id": "sensor_fault.voltage_lost"}}}'""", "sensor_fault"),
        ("time = time - interval '1 hour'", "reading_too_old"),
        ("soh_pct = null", "no_estimate_yet"),
        ("time = null, soc_pct = null", "no_estimate_yet"),
        (f"soc_pct = null, quality = {int(ReadingQuality.CONTRADICTS_CIRCUIT)}", "contradicts_circuit"),
        (f"soc_pct = null, quality = {int(ReadingQuality.TWIN_UNAVAILABLE)}", "twin_unavailable"),
        ("soh_pct = 0", "outside_model"),
    ],
)
async def test_a_runtime_names_the_batteries_that_it_knows_nothing_of(world: World, change: str, reason: str) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    await world.rows(
        f"update battery_state s set {change} from battery b where b.id = battery_id and b.code = $1", FIRST_THIRD
    )
    found = await world.get(f"strings/{HERE}/runtime", current_a=-60)
    assert found["withheld_count"] == 1
    assert found["unknown_batteries"] == [{"battery_id": FIRST_THIRD, "reason": reason}]


async def test_with_most_estimates_missing_or_old_there_is_no_runtime(world: World) -> None:
    await world.load(0.1, [NOW - HOUR], volts=13.6)
    old = await world.get(f"strings/{HERE}/runtime", status=409, current_a=-60)
    assert old["code"] == "runtime_unknown"
    await world.load(0.1, [NOW], volts=13.6)
    await world.rows("update battery_state set soh_pct = null where battery_id > 1")
    missing = await world.get(f"strings/{HERE}/runtime", status=409, current_a=-60)
    assert missing["code"] == "runtime_unknown"
    named_ones = [(error["field"], error["code"]) for error in missing["errors"]]
    assert named_ones == [(code, "no_estimate_yet") for code in BATTERIES[1:PER_STRING]]
    assert world.simulator.asked == []


ASKED = SimulateRequest(
    blocks=[BlockState(battery_id="A", soc_pct=100), BlockState(battery_id="B", soc_pct=50)],
    profile=[LoadStep(duration_s=60, current_a=-60)],
    rated_ah=120,
)


async def test_what_if_goes_through_as_it_is(world: World) -> None:
    answer = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["limiting_battery_id"] == "B"
    assert world.simulator.asked == [ASKED]
    for who, status in (("feed", 403), ("stranger", 401)):
        answer = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named(who))
        assert answer.status_code == status


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(503, json={"code": "unavailable"}),
        httpx.Response(401, json={"code": "not_authenticated", "detail": "token http://10.0.0.7"}),
        httpx.Response(200, json={"runtime_p10_s": 1}),
        httpx.Response(200, content=b"\x00"),
    ],
)
async def test_without_a_sound_answer_there_is_no_runtime(world: World, failure: httpx.Response) -> None:
    await world.load(0.1, [NOW], volts=13.6)
    world.simulator.failure = failure
    answer = await world.client.get(f"strings/{HERE}/runtime", params={"current_a": -60}, headers=named("mali"))
    assert (answer.status_code, answer.json()["code"]) == (503, "twin_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "10.0.0.7" not in answer.text
    what_if = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali"))
    assert what_if.json()["code"] == "twin_unavailable"
    # The record needs no twin.
    assert (await world.get(f"batteries/{FIRST}/twin"))["soh"]["value_pct"] == 95.0


async def test_a_caller_has_one_simulation_at_a_time_and_others_have_theirs(world: World) -> None:
    world.simulator.waits = asyncio.Event()
    first = asyncio.create_task(world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali")))
    await asyncio.wait_for(world.simulator.is_asked.wait(), 10)
    second = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali"))
    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (429, "question_running", "5")
    other = asyncio.create_task(world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("nok")))
    await asyncio.sleep(0.1)
    world.simulator.waits.set()
    assert [answer.status_code for answer in await asyncio.gather(first, other)] == [200, 200]
    again = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali"))
    assert again.status_code == 200


async def test_a_refusal_by_the_twin_reaches_the_caller(world: World) -> None:
    world.simulator.failure = httpx.Response(422, json={"code": "parameters_invalid", "detail": "ocv_v: too short"})
    answer = await world.client.post("twin/simulate", json=ASKED.model_dump(), headers=named("mali"))
    assert (answer.status_code, answer.json()["code"]) == (422, "simulation_refused")
    assert "ocv_v: too short" in answer.json()["detail"]
    invalid = await world.client.post("twin/simulate", json={"blocks": []}, headers=named("mali"))
    assert (invalid.status_code, invalid.json()["code"]) == (422, "validation_failed")
