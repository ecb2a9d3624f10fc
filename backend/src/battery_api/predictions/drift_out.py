"""Drift as a caller sees it."""

from collections.abc import Collection
from typing import Any

from battery_api.predictions.run_repository import DriftRow
from battery_api.predictions.schemas import DriftMissing, InputDrift, ModelDrift


def drift_out(
    row: DriftRow | None, seen_locations: Collection[str] | None
) -> tuple[ModelDrift | None, DriftMissing | None]:
    """Return the drift, or why there is none; None as the locations that the caller sees is all of them."""
    if row is None:
        return None, "no_run"
    if not row.drift["features"]:
        return None, "too_few_batteries"
    features = [_feature_out(one, seen_locations) for one in row.drift["features"]]
    features.sort(key=lambda one: -1.0 if one.psi is None else one.psi, reverse=True)
    return ModelDrift(as_of=row.as_of, battery_count=row.drift["battery_count"], features=features), None


def _feature_out(stored: dict[str, Any], seen_locations: Collection[str] | None) -> InputDrift:
    found = InputDrift.model_validate(stored)
    if seen_locations is None or found.worst_location_id in seen_locations:
        return found
    return found.model_copy(update={"worst_psi": None, "worst_location_id": None})
