"""The rows that a run appends for a location, from what the two services answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from battery_api.predictions.answers import AnswerState, MlAnswer, TwinAnswer
from battery_api.predictions.evidence_repository import BatteryEvidence
from battery_api.predictions.fusion import FloatArray, FusedDays, RulSource, SourceTrust, advice_for, fuse, longer_than
from battery_api.predictions.physics import NoForecastReason
from battery_contracts.ml import RulPrediction
from battery_contracts.twin import Quantiles
from battery_contracts.twin_analysis import PhysicsForecast

NO_HISTORY: Final = "no_history"
"""The battery has no daily history, so the model was not asked."""
_UNKNOWN: Final = (None, None, None)


class LocationAnswers(NamedTuple):
    """What is known of a location's batteries, and the answers about them."""

    evidence: Sequence[BatteryEvidence]
    not_asked: Mapping[str, NoForecastReason]
    """Why the ageing law was not asked, by battery id."""
    twin: TwinAnswer
    ml: MlAnswer

    @property
    def are_both_away(self) -> bool:
        """Whether neither service answered."""
        return AnswerState.ANSWERED not in {self.twin.state, self.ml.state}


class PredictionValues(NamedTuple):
    """A row of `db.tables.predictions.RulPredictionRow`, without its run and times."""

    battery: int
    ml_p10_days: float | None
    ml_p50_days: float | None
    ml_p90_days: float | None
    ml_withheld_reason: str | None
    ml_widened: list[str] | None
    ml_reasons: list[dict[str, Any]] | None
    ml_model_version: str | None
    ml_confidence: float | None
    follow_up_days: float | None
    peer_deviation: float | None
    peer_deviation_of: str | None
    twin_p10_days: float | None
    twin_p50_days: float | None
    twin_p90_days: float | None
    twin_withheld_reason: str | None
    twin_provenance: str | None
    fused_p10_days: float | None
    fused_p50_days: float | None
    fused_p90_days: float | None
    fused_longer_than_days: float | None
    fused_withheld_reason: str | None
    source: str
    twin_weight: float | None
    is_conflict: bool
    difference_pct: float | None
    conflict_advice: str | None


def combine(answers: LocationAnswers, trust: SourceTrust, now: datetime) -> list[PredictionValues]:
    """Return one row per battery of which the services say something, be it why they withhold a prediction.

    A battery without days while a service was away has no row: its earlier prediction stays, with its date.
    """
    codes = [one.battery.code for one in answers.evidence]
    forecasts = [answers.twin.forecasts.get(code) for code in codes]
    predictions = [answers.ml.predictions.get(code) for code in codes]
    twin_days = _days([None if one is None else one.rul_days for one in forecasts])
    ml_days = _days([None if one is None else one.rul_days for one in predictions])
    fused = fuse(twin_days, ml_days, trust)
    is_one_away = not answers.twin.state is answers.ml.state is AnswerState.ANSWERED
    rows = []
    for slot, one in enumerate(answers.evidence):
        if fused.source[slot] is RulSource.NONE and is_one_away:
            continue
        ml = _ml_columns(answers.ml.state, predictions[slot])
        twin = _twin_columns(answers, one.battery.code, forecasts[slot])
        reason = ml["ml_withheld_reason"] or twin["twin_withheld_reason"]
        columns = _fused_columns(fused, slot, ml_days[slot], ml["follow_up_days"], reason)
        advice = advice_for(_age(one.battery.resistance_at, now), _age(one.capacity_at, now))
        columns["conflict_advice"] = advice.value if columns["is_conflict"] else None
        rows.append(PredictionValues(battery=one.battery.key, **ml, **twin, **columns))
    return rows


def _ml_columns(state: AnswerState, prediction: RulPrediction | None) -> dict[str, Any]:
    days = None if prediction is None else prediction.rul_days
    p10, p50, p90 = _levels(days)
    columns: dict[str, Any] = {"ml_p10_days": p10, "ml_p50_days": p50, "ml_p90_days": p90}
    if prediction is None:
        reason = NO_HISTORY if state is AnswerState.ANSWERED else _away("ml", state)
        missing = PredictionValues._fields[5:12]
        return columns | {"ml_withheld_reason": reason} | dict.fromkeys(missing)
    return columns | {
        "ml_withheld_reason": prediction.withheld_reason if days is None else None,
        "ml_widened": list(prediction.widened_because),
        "ml_reasons": [reason.model_dump(mode="json") for reason in prediction.reasons],
        "ml_model_version": prediction.model_version,
        "ml_confidence": prediction.confidence,
        "follow_up_days": prediction.follow_up_days,
        "peer_deviation": prediction.peer_deviation,
        "peer_deviation_of": prediction.peer_deviation_of,
    }


def _twin_columns(answers: LocationAnswers, code: str, forecast: PhysicsForecast | None) -> dict[str, Any]:
    p10, p50, p90 = _levels(None if forecast is None else forecast.rul_days)
    reason = None
    if forecast is None:
        not_asked = answers.not_asked.get(code)
        reason = _away("twin", answers.twin.state) if not_asked is None else not_asked.value
    return {
        "twin_p10_days": p10,
        "twin_p50_days": p50,
        "twin_p90_days": p90,
        "twin_withheld_reason": reason,
        "twin_provenance": None if forecast is None else forecast.provenance.value,
    }


def _fused_columns(
    fused: FusedDays, slot: int, ml_days: FloatArray, follow_up_days: float | None, reason: str | None
) -> dict[str, Any]:
    source, days = fused.source[slot], fused.days[slot]
    p10, p50, p90 = _UNKNOWN if source is RulSource.NONE else days.tolist()
    return {
        "fused_p10_days": p10,
        "fused_p50_days": p50,
        "fused_p90_days": p90,
        "fused_longer_than_days": longer_than(source, days, ml_days, follow_up_days),
        "fused_withheld_reason": reason if source is RulSource.NONE else None,
        "source": source.value,
        "twin_weight": _or_none(fused.twin_weight[slot]),
        "is_conflict": bool(fused.is_conflict[slot]),
        "difference_pct": _or_none(fused.difference_pct[slot]),
    }


def _away(service: str, state: AnswerState) -> str:
    return state.value if state is AnswerState.NO_CHAMPION else f"{service}_{state.value}"


def _days(quantiles: Sequence[Quantiles | None]) -> FloatArray:
    rows = [[np.nan] * 3 if one is None else [one.p10, one.p50, one.p90] for one in quantiles]
    return np.array(rows, np.float64).reshape(-1, 3)


def _levels(days: Quantiles | None) -> tuple[float | None, float | None, float | None]:
    return _UNKNOWN if days is None else (days.p10, days.p50, days.p90)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _age(instant: datetime | None, now: datetime) -> timedelta | None:
    return None if instant is None else now - instant
