"""Drift of a model's inputs over a run, from the answers for its locations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from battery_api.predictions.answers import MlAnswer
from battery_contracts.drift import population_stability_index
from battery_contracts.ml import MIN_DRIFT_BATTERIES, FeatureDrift


class _LocationDrift(NamedTuple):
    """Drift at one location."""

    code: str
    battery_count: int
    features: Sequence[FeatureDrift]


@dataclass
class RunDrift:
    """Collects the drift of each location; if the model changes during a run, that of the later version alone."""

    _version: str | None = None
    _locations: list[_LocationDrift] = field(default_factory=list)

    def add(self, location: str, answer: MlAnswer) -> None:
        """Add the answer for a location; one that has no drift, as of few batteries, counts for none."""
        if answer.model_version is None:
            return
        if answer.model_version != self._version:
            self._version = answer.model_version
            self._locations = []
        if answer.drift:
            self._locations.append(_LocationDrift(location, len(answer.predictions), answer.drift))

    def summary(self) -> dict[str, Any] | None:
        """Return what the run keeps: index of the fleet and worst location of each feature; None without a model."""
        if self._version is None:
            return None
        by_feature: dict[str, list[tuple[_LocationDrift, FeatureDrift]]] = {}
        for location in self._locations:
            for drift in location.features:
                by_feature.setdefault(drift.feature, []).append((location, drift))
        return {
            "model_version": self._version,
            "battery_count": sum(location.battery_count for location in self._locations),
            "features": [{"feature": name, **_summary_of(found)} for name, found in by_feature.items()],
        }


def _summary_of(found: list[tuple[_LocationDrift, FeatureDrift]]) -> dict[str, Any]:
    """Return the index of the whole fleet, whose counts add up, and the location that differs most on its own."""
    judged = [(drift.psi, location) for location, drift in found if drift.psi is not None]
    worst_psi, worst = max(judged, key=lambda one: one[0], default=(None, None))
    counts = [sum(tenth) for tenth in zip(*(drift.counts for _, drift in found if drift.counts), strict=True)]
    total = sum(location.battery_count for location, _ in found)
    return {
        "psi": population_stability_index(counts) if sum(counts) >= MIN_DRIFT_BATTERIES else None,
        "worst_psi": worst_psi,
        "worst_location_id": None if worst is None else worst.code,
        "share_known": sum(drift.share_known * location.battery_count for location, drift in found) / total,
    }
