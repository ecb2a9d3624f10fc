"""The live message of a location's new predictions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from battery_api.predictions.combining import PredictionValues
from battery_contracts.events import PredictionColumns, PredictionUpdate


def update_of(
    location_code: str,
    as_of: datetime,
    predicted_at: datetime,
    codes: Mapping[int, str],
    rows: Sequence[PredictionValues],
) -> PredictionUpdate:
    """Return the message of the rows of a location; ``codes`` names its batteries by key."""
    columns: dict[str, list[Any]] = {
        "battery_id": [codes[row.battery] for row in rows],
        "p10_days": [row.fused_p10_days for row in rows],
        "p50_days": [row.fused_p50_days for row in rows],
        "p90_days": [row.fused_p90_days for row in rows],
        "longer_than_days": [row.fused_longer_than_days for row in rows],
        "source": [row.source for row in rows],
        "withheld_reason": [row.fused_withheld_reason for row in rows],
        "predicted_at": [predicted_at] * len(rows),
    }
    return PredictionUpdate(location_id=location_code, as_of=as_of, columns=PredictionColumns.model_validate(columns))
