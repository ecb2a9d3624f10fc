"""Append the predictions of a run, and keep the newest beside each battery's newest values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.predictions.combining import PredictionValues
from battery_api.predictions.run_repository import HeldRun

_COLUMNS: Final = [name for name in PredictionValues._fields if name != "battery"]
_APPEND: Final = text(
    f"""
    insert into rul_prediction (run_id, battery_id, as_of, predicted_at, {", ".join(_COLUMNS)})
    values (:run, :battery, :as_of, :predicted_at, {", ".join(f":{name}" for name in _COLUMNS)})
    on conflict (run_id, battery_id) do nothing
    """
).bindparams(
    bindparam("ml_widened", type_=JSONB(none_as_null=True)), bindparam("ml_reasons", type_=JSONB(none_as_null=True))
)
_SHOW: Final = text(
    """
    update battery_state set rul_p10_days = :fused_p10_days, rul_p50_days = :fused_p50_days,
        rul_p90_days = :fused_p90_days, rul_follow_up_days = :fused_longer_than_days, rul_source = :source,
        rul_predicted_at = :predicted_at, rul_is_conflict = :is_conflict, rul_withheld_reason = :fused_withheld_reason
    where battery_id = :battery and (rul_predicted_at is null or rul_predicted_at <= :predicted_at)
    """
)


async def append(
    connection: AsyncConnection, run: HeldRun, rows: Sequence[PredictionValues], predicted_at: datetime
) -> None:
    """Append the predictions of a location and show them as the newest of their batteries."""
    if not rows:
        return
    common = {"run": run.key, "as_of": run.as_of, "predicted_at": predicted_at}
    values = [{**row._asdict(), **common} for row in rows]
    # By battery, as ingest locks the rows.
    values.sort(key=lambda row: row["battery"])
    await connection.execute(_APPEND, values)
    await connection.execute(_SHOW, values)
