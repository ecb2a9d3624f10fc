"""Examples of the prediction endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from battery_api.fleet.examples import BATTERY_ID, LOCATION_ID, STRING_ID
from battery_api.predictions.fusion import RulSource
from battery_api.predictions.run_schemas import RunIn, RunOut, RunState, RunTrigger
from battery_api.predictions.schemas import (
    BatteryRul,
    HistogramBar,
    InputDrift,
    LocationPredictions,
    ModelAccuracy,
    ModelDrift,
    PredictionItem,
    PredictionSummary,
    RulDays,
    RulEntry,
)
from battery_contracts.enums import Provenance
from battery_contracts.ml import FeatureNorm, ModelDetail, ModelList, ModelSummary, Reason, TrainJob, TrainRequest
from battery_contracts.ml import TrainState as JobState
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

_VERSION: Final = "20261120T031500-4f1c09ab"
_AS_OF: Final = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
_PREDICTED_AT: Final = datetime(2026, 11, 19, 18, 2, 10, tzinfo=UTC)
_TRAINED_AT: Final = datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
_REASON: Final = Reason(
    feature="resistance_drift_pct",
    effect_days=-210.0,
    value=23.1,
    fleet_norm=8.2,
    sentence="Resistance 23 % above its own baseline, fleet 8 %: about 210 days shorter",
)


def _days(p10: float, p50: float, p90: float) -> RulDays:
    return RulDays(p10_days=p10, p50_days=p50, p90_days=p90, longer_than_days=None, withheld_reason=None)


_ENTRY: Final = RulEntry(
    predicted_at=_PREDICTED_AT,
    as_of=_AS_OF,
    source=RulSource.FUSED,
    fused=_days(839.9, 1263.8, 1762.6),
    ml=_days(820.0, 1240.0, 1730.0),
    twin=_days(860.0, 1288.0, 1796.0),
    twin_weight=0.495,
    is_conflict=False,
    difference_pct=3.7,
    conflict_advice=None,
    confidence=0.64,
    widened_because=[],
    reasons=[_REASON],
    peer_deviation=2.1,
    peer_deviation_of="resistance_25c_mohm",
    model_version=_VERSION,
    twin_provenance=Provenance.DISCHARGE_INFERRED,
)
_RUN: Final = RunOut(
    run_id=17,
    trigger=RunTrigger.MANUAL,
    requested_by="mali",
    as_of=_AS_OF,
    started_at=_PREDICTED_AT,
    finished_at=None,
    state=RunState.RUNNING,
    step=LOCATION_ID,
    done=216,
    total=1944,
    error=None,
)
_MODEL: Final = ModelSummary(
    version=_VERSION, aliases=["champion"], created_at=_TRAINED_AT, metrics={"mae_days": 184.0, "coverage_80": 0.81}
)
_DETAIL: Final = ModelDetail(
    **_MODEL.model_dump(),
    features=[FeatureNorm(name="resistance_drift_pct", median=8.2, p5=-1.1, p95=38.5, known=0.98)],
    data_sha256="9d0e6c1f4b7a2358e1c0d94f6a7b8352c4e1f09a6d7b8c3e2f5a1094d6c7b8e3",
    split="by string, train 56, validation 8, calibration 8, test 9",
    seed=1,
    library_versions={"numpy": "2.3.5"},
    files={"model.json": "1b2f0a93c8d7e6f54a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f"},
)
_JOB: Final = TrainJob(
    job_id="0b9d5c7e41d84f0e9a6f2c3d8e7b1a54",
    state=JobState.RUNNING,
    progress=0.35,
    step="features, part 7 of 20",
    started_at=_TRAINED_AT,
)

EXAMPLES: Final[Examples] = {
    "predictions_get_battery_rul": Example(
        BatteryRul(
            battery_id=BATTERY_ID,
            latest=_ENTRY,
            missing_reason=None,
            items=[_ENTRY],
            total=1,
            skip=0,
            limit=100,
        )
    ),
    "predictions_list_predictions": Example(
        Page[PredictionItem](
            items=[
                PredictionItem(
                    battery_id=BATTERY_ID,
                    string_id=STRING_ID,
                    location_id=LOCATION_ID,
                    predicted_at=_PREDICTED_AT,
                    as_of=_AS_OF,
                    p10_days=839.9,
                    p50_days=1263.8,
                    p90_days=1762.6,
                    longer_than_days=None,
                    source=RulSource.FUSED,
                    is_conflict=False,
                    withheld_reason=None,
                    main_reason=_REASON,
                    model_version=_VERSION,
                )
            ],
            total=1,
            skip=0,
            limit=100,
        )
    ),
    "predictions_get_summary": Example(
        PredictionSummary(
            predicted_at=_PREDICTED_AT,
            total=216,
            predicted=212,
            withheld=4,
            due_within_90_days=1,
            due_within_180_days=5,
            histogram=[
                HistogramBar(from_days=0, to_days=365, count=12),
                HistogramBar(from_days=365, to_days=None, count=200),
            ],
            locations=[
                LocationPredictions(
                    location_id=LOCATION_ID,
                    total=216,
                    predicted=212,
                    withheld=4,
                    due_within_90_days=1,
                    shortest_p10_days=41.0,
                )
            ],
            state="running",
            run=_RUN,
            model_version=_VERSION,
        )
    ),
    "predictions_start_run": Example(
        _RUN.model_copy(update={"step": None, "done": 0, "total": None}),
        request=RunIn(request_key=UUID("7d9f6a0e-6a53-4f0c-9a0e-3f0a4f9f7c11")),
    ),
    "predictions_get_run": Example(_RUN),
    "models_list_models": Example(ModelList(models=[_MODEL])),
    "models_get_model": Example(_DETAIL),
    "models_promote_model": Example(_DETAIL),
    "models_train_model": Example(_JOB, request=TrainRequest(dataset="/app/data/lives", seed=1)),
    "models_get_training": Example(_JOB),
    "models_get_accuracy": Example(
        ModelAccuracy(
            version=_VERSION,
            prediction_count=412,
            battery_count=3,
            mean_error_days=-12.4,
            mean_absolute_error_days=71.9,
            inside_share=0.796,
            drift=ModelDrift(
                as_of=_AS_OF,
                battery_count=1944,
                features=[
                    InputDrift(
                        feature="resistance_drift_pct",
                        psi=0.083,
                        worst_psi=0.31,
                        worst_location_id=LOCATION_ID,
                        share_known=0.986,
                    )
                ],
            ),
            drift_missing_reason=None,
        )
    ),
}
