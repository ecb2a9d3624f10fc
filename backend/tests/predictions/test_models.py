"""The model registry behind the gateway, and how predictions are judged by what became of the batteries."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from battery_api.predictions import examples
from battery_api.predictions.job import record_outcomes

from .world import BATTERIES, NOW, VERSION, World

EXAMPLES = examples.EXAMPLES
AWAY = httpx.Response(503, json={"code": "unavailable"}, headers={"Retry-After": "7"})


def answered(operation: str) -> httpx.Response:
    response = EXAMPLES[operation].response
    assert response is not None
    assert not isinstance(response, str)
    return httpx.Response(200, content=response.model_dump_json())


async def test_versions_are_those_of_the_prediction_service(world: World) -> None:
    world.ml.other = {
        "GET /api/v1/models": answered("models_list_models"),
        "GET /api/v1/models/v7": answered("models_get_model"),
        "GET /api/v1/models/v8": httpx.Response(404, json={"code": "model_not_found", "detail": "No version v8."}),
    }
    assert len((await world.get("models"))["models"]) == 1
    assert (await world.get("models/v7"))["seed"] == 1
    missing = await world.get("models/v8", status=404)
    assert (missing["code"], missing["detail"]) == ("model_not_found", "No version v8.")


async def test_an_absent_prediction_service_is_named(world: World) -> None:
    world.ml.failure = AWAY
    for path in ("models", "models/v7"):
        answer = await world.client.get(path, headers={"Authorization": "Bearer mali"})
        assert (answer.status_code, answer.json()["code"]) == (503, "ml_unavailable")
        assert answer.headers["Retry-After"] == "7"


async def audit(world: World) -> list[tuple[str, str, str]]:
    rows = await world.rows("select actor, action, target from audit_log where action like 'model.%' order by id")
    return [(row["actor"], row["action"], row["target"]) for row in rows]


async def test_a_promotion_is_audited_before_and_after(world: World) -> None:
    world.ml.other = {"POST /api/v1/models/v7/promote": answered("models_promote_model")}
    await world.post("models/v7/promote", who="chai", status=200)
    assert await audit(world) == [("chai", "model.promote_requested", "v7"), ("chai", "model.promote", "v7")]
    world.ml.other = {"POST /api/v1/models/v7/promote": httpx.Response(409, json={"detail": "Its files differ."})}
    refused = await world.post("models/v7/promote", who="chai", status=409)
    assert (refused["code"], refused["detail"]) == ("model_conflict", "Its files differ.")
    assert (await audit(world))[2:] == [("chai", "model.promote_requested", "v7")]


async def test_training_is_for_administrators(world: World) -> None:
    world.ml.other = {
        "POST /api/v1/train": answered("models_train_model"),
        "GET /api/v1/train/j1": answered("models_get_training"),
    }
    body = {"dataset": "/lives", "seed": 2}
    for path in ("models/train", "models/v7/promote"):
        assert (await world.post(path, body, who="som", status=403))["code"] == "forbidden"
    job = await world.post("models/train", body, who="chai")
    assert (await world.get("models/train/j1", who="chai"))["state"] == "running"
    assert await audit(world) == [("chai", "model.train", job["job_id"])]
    world.ml.other = {"POST /api/v1/train": httpx.Response(422, json={"detail": "No such folder."})}
    assert (await world.post("models/train", body, who="chai", status=422))["code"] == "model_refused"


async def outcomes(world: World) -> list[tuple[int, str, float | None]]:
    rows = await world.rows("select battery_id, kind, capacity_pct from rul_outcome order by battery_id, kind")
    return [(row["battery_id"], row["kind"], row["capacity_pct"]) for row in rows]


async def capacity_test(world: World, event: int, ended_at: datetime, **batteries: Any) -> None:
    await world.rows(
        "insert into discharge_event (id, string_id, started_at, ended_at, mode, drawn_ah, depth_pct, mean_current_a, "
        "complete, is_open) values ($1, 1, $2, $3, 'test', 60, 90, -60, true, false)",
        event,
        ended_at - timedelta(hours=5),
        ended_at,
    )
    for battery, (soh_pct, provenance) in batteries.items():
        await world.rows(
            "insert into discharge_battery (event_id, battery_id, soh_pct, soh_sd_pct, soh_provenance) "
            "values ($1, $2, $3, 2, $4)",
            event,
            int(battery.removeprefix("b")),
            soh_pct,
            provenance,
        )


async def test_what_became_of_batteries_is_recorded_once(world: World) -> None:
    await capacity_test(world, 1, NOW - timedelta(days=9), b1=(79.0, "measured"), b2=(60.0, "discharge_inferred"))
    await capacity_test(world, 2, NOW - timedelta(days=1), b1=(75.0, "measured"), b2=(81.0, "measured"))
    await world.rows("update battery set retired_at = $1, retired_by = 'x', retired_reason = 'y' where id = 3", NOW)
    await world.rows("update battery set removed_at = $1 where id = 4", NOW)
    expected = [(1, "measured_below_80", 79.0), (3, "retired", None), (4, "replaced", None)]
    assert await record_outcomes(world.context) == 3
    assert await outcomes(world) == expected
    assert await record_outcomes(world.context) == 0
    assert await outcomes(world) == expected


async def test_accuracy_compares_with_the_day_that_came(world: World) -> None:
    world.ml.days = {BATTERIES[0]: (10.0, 60.0, 90.0)}
    assert (await world.get(f"models/{VERSION}/accuracy"))["mean_error_days"] is None
    await world.job().run_once()
    as_of = (await world.runs())[0]["as_of"]
    await capacity_test(world, 1, as_of + timedelta(days=100), b1=(79.0, "measured"))
    # Of a battery that only left, the life is not known.
    await world.rows("update battery set removed_at = $1 where id = 2", as_of + timedelta(days=100))
    world.forward(days=80)
    world.ml.days[BATTERIES[0]] = (10.0, 20.0, 30.0)
    # Less than 30 days before the end, so that it does not count.
    await world.job().run_once()
    world.forward(days=30)
    await record_outcomes(world.context)
    found = await world.get(f"models/{VERSION}/accuracy")
    assert (found["prediction_count"], found["battery_count"]) == (1, 1)
    assert found["mean_error_days"] == pytest.approx(-40.0)
    assert found["mean_absolute_error_days"] == pytest.approx(40.0)
    assert found["inside_share"] == 0.0
    assert (await world.get("models/other/accuracy"))["prediction_count"] == 0


async def test_a_version_that_no_registry_writes_is_refused_and_not_audited(world: World) -> None:
    refused = await world.post("models/a%00b/promote", who="chai", status=422)
    assert refused["code"] == "validation_failed"
    assert await audit(world) == []
