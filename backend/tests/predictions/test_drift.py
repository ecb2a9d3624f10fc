"""Drift of a model's inputs: what a run keeps of it, and who sees what."""

import httpx
import pytest

from battery_api.predictions.answers import AnswerState, MlAnswer
from battery_api.predictions.drift import RunDrift
from battery_contracts.ml import FeatureDrift, RulPrediction

from .world import LOCATIONS, NOW, VERSION, World


def drifted(psi: float | None, *, count: int = 1, known: float = 1.0, version: str = "v1") -> MlAnswer:
    codes = [f"B{number}" for number in range(count)]
    predictions = {
        code: RulPrediction(
            battery_id=code,
            rul_days=None,
            withheld_reason="x",
            confidence=None,
            reasons=[],
            model_version=version,
            predicted_at=NOW,
        )
        for code in codes
    }
    drift = [FeatureDrift(feature="age_days", psi=psi, share_known=known)]
    return MlAnswer(AnswerState.ANSWERED, predictions, version, drift)


def test_locations_count_by_their_batteries_and_the_worst_is_named() -> None:
    run = RunDrift()
    run.add("A", drifted(0.1, count=3, known=0.5))
    run.add("B", drifted(0.5, count=1, known=0.9))
    run.add("C", drifted(None, count=4, known=0.0))
    kept = run.summary()
    assert kept is not None
    assert (kept["model_version"], kept["battery_count"]) == ("v1", 8)
    (feature,) = kept["features"]
    assert feature["psi"] == pytest.approx(0.2)
    assert (feature["worst_psi"], feature["worst_location_id"]) == (0.5, "B")
    assert feature["share_known"] == pytest.approx((3 * 0.5 + 1 * 0.9) / 8)


def test_what_is_known_of_too_few_everywhere_has_no_index() -> None:
    run = RunDrift()
    run.add("A", drifted(None, known=0.1))
    kept = run.summary()
    assert kept is not None
    assert kept["features"] == [
        {"feature": "age_days", "psi": None, "worst_psi": None, "worst_location_id": None, "share_known": 0.1}
    ]


def test_versions_are_not_mixed_and_failures_count_for_none() -> None:
    run = RunDrift()
    assert run.summary() is None
    run.add("A", drifted(0.9, version="v1"))
    run.add("B", drifted(0.2, version="v2"))
    run.add("C", MlAnswer(AnswerState.UNAVAILABLE))
    kept = run.summary()
    assert kept is not None
    assert (kept["model_version"], kept["battery_count"]) == ("v2", 1)
    assert kept["features"][0]["worst_psi"] == 0.2


async def test_the_drift_of_the_newest_run_is_shown(world: World) -> None:
    path = f"models/{VERSION}/accuracy"
    before = await world.get(path)
    assert (before["drift"], before["drift_missing_reason"]) == (None, "no_run")
    await world.job().run_once()
    few = await world.get(path)
    assert (few["drift"], few["drift_missing_reason"]) == (None, "too_few_batteries")
    world.ml.drift = [
        FeatureDrift(feature="a", psi=None, share_known=0.25),
        FeatureDrift(feature="b", psi=0.0, share_known=1.0),
        FeatureDrift(feature="c", psi=0.4, share_known=1.0),
    ]
    world.forward(days=1)
    await world.job().run_once()
    found = await world.get(path)
    assert found["drift_missing_reason"] is None
    assert found["drift"]["battery_count"] == 8
    assert [one["feature"] for one in found["drift"]["features"]] == ["c", "b", "a"]
    worst = found["drift"]["features"][0]
    assert (worst["psi"], worst["worst_psi"], worst["worst_location_id"]) == (0.4, 0.4, LOCATIONS[0])
    # Nok sees the second location alone.
    hidden = (await world.get(path, who="nok"))["drift"]["features"][0]
    assert (hidden["psi"], hidden["worst_psi"], hidden["worst_location_id"]) == (0.4, None, None)
    assert (await world.get("models/other/accuracy"))["drift_missing_reason"] == "no_run"


async def test_a_run_without_a_model_leaves_the_drift_of_the_last_one(world: World) -> None:
    world.ml.drift = [FeatureDrift(feature="a", psi=0.3, share_known=1.0)]
    await world.job().run_once()
    world.ml.failure = httpx.Response(503, json={"code": "unavailable"})
    world.forward(days=1)
    await world.job().run_once()
    assert [run["drift"] is None for run in await world.runs()] == [False, True]
    assert (await world.get(f"models/{VERSION}/accuracy"))["drift"]["features"][0]["psi"] == 0.3
