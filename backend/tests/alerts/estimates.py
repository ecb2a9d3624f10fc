"""Predictions and states of health as the gateway itself stores them, for the tests of their alerts."""

from datetime import datetime, timedelta
from typing import Any

from battery_api.alerts.prediction_watch import PredictionWatch
from battery_api.predictions import run_repository, write_repository
from battery_api.predictions.combining import PredictionValues
from battery_api.predictions.run_repository import HeldRun

from .world import FIRST, NOW, World

DAY = timedelta(days=1)
AS_OF = NOW - timedelta(hours=19)
"""The end of the last whole day in Asia/Bangkok."""
UNKNOWN: dict[str, Any] = dict.fromkeys(PredictionValues._fields)


def watch_of(world: World) -> PredictionWatch:
    """Return the watch of another process."""
    parts = world.app.state.parts
    return PredictionWatch(parts.context, parts.catalogue)


async def watch_once(world: World) -> list[tuple[str, str, str]]:
    """Let a process that remembers nothing look once; return what it published."""
    await watch_of(world).run_once(world.published)
    return world.published.take()


async def predict(world: World, p10: float | None, p50: float = 1000.0, *, day: int = 0, **values: Any) -> datetime:
    """Append the prediction of a day for the first battery as a run does; without a P10 it is withheld."""
    as_of = AS_OF + day * DAY
    predicted_at = as_of + timedelta(hours=1)
    world.clock.set(max(world.clock.now(), predicted_at))
    withheld = "sensor_fault" if p10 is None else None
    columns = UNKNOWN | {
        "battery": await key_of(world),
        "ml_withheld_reason": "no_history",
        "twin_withheld_reason": "no_temperature_history",
        "ml_model_version": "v1",
        "fused_p10_days": p10,
        "fused_p50_days": None if p10 is None else p50,
        "fused_p90_days": None if p10 is None else p50 + 500,
        "fused_withheld_reason": withheld,
        "source": "fused" if withheld is None else "none",
        "is_conflict": False,
    }
    async with world.database.begin() as connection:
        key = await run_repository.start(connection, "manual", as_of, predicted_at)
        assert key is not None
        run = HeldRun(key, as_of, "test")
        assert await run_repository.claim(connection, "test", predicted_at, 0) == run
        await write_repository.append(connection, run, [PredictionValues(**(columns | values))], predicted_at)
        await run_repository.finish(
            connection, run, predicted_at, error=None, ml_state="answered", twin_state="answered"
        )
    return predicted_at


async def estimate(world: World, soh_pct: float | None, sd_pct: float | None, provenance: str | None) -> None:
    """Store a state of health of the first battery, as ingest does."""
    await world.rows(
        "update battery_state set soh_pct = $1, soh_sd_pct = $2, soh_provenance = $3 where battery_id = $4",
        soh_pct,
        sd_pct,
        provenance,
        await key_of(world),
    )


async def key_of(world: World, code: str = FIRST) -> int:
    (row,) = await world.rows("select id from battery where code = $1 and removed_at is null", code)
    return int(row["id"])


async def active(world: World) -> list[tuple[str, str]]:
    """Return type and severity of the active alerts."""
    return sorted((alert["type"], alert["severity"]) for alert in await world.alerts(active="true"))
