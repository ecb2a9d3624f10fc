"""Examples of the endpoints for their OpenAPI description."""

import struct
from datetime import UTC, datetime
from typing import Final

from battery_contracts.ml import (
    FeatureDrift,
    FeatureNorm,
    ModelDetail,
    ModelList,
    ModelSummary,
    Reason,
    RulBatchRequest,
    RulBatchResponse,
    RulPrediction,
    RulRequest,
    TrainJob,
    TrainRequest,
    TrainState,
)
from battery_contracts.twin import Quantiles
from battery_servicekit.openapi.examples import Example, Examples

_BATTERY_ID: Final = "BAT-DC-CNX-01-UPS-01-STR-01-001"
_STRING_ID: Final = "DC-CNX-01-UPS-01-STR-01"
_VERSION: Final = "20261120T031500-4f1c09ab"
_AS_OF: Final = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
_TRAINED_AT: Final = datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
_PREDICTION: Final = RulPrediction(
    battery_id=_BATTERY_ID,
    rul_days=Quantiles(p10=820.0, p50=1240.0, p90=1730.0),
    withheld_reason=None,
    confidence=0.64,
    reasons=[
        Reason(
            feature="resistance_drift_pct",
            effect_days=-210.0,
            value=23.1,
            fleet_norm=8.2,
            sentence="Resistance 23 % above its own baseline, fleet 8 %: about 210 days shorter",
        )
    ],
    model_version=_VERSION,
    predicted_at=_AS_OF,
)
_SUMMARY: Final = ModelSummary(
    version=_VERSION, aliases=["champion"], created_at=_TRAINED_AT, metrics={"mae_days": 184.0, "coverage_80": 0.81}
)
_DETAIL: Final = ModelDetail(
    **_SUMMARY.model_dump(),
    features=[
        FeatureNorm(
            name="resistance_drift_pct",
            median=8.2,
            p5=-1.1,
            p95=38.5,
            known=0.98,
            deciles=[0.6, 2.4, 4.3, 6.1, 8.2, 11.0, 14.9, 20.8, 29.7],
        )
    ],
    data_sha256="9d0e6c1f4b7a2358e1c0d94f6a7b8352c4e1f09a6d7b8c3e2f5a1094d6c7b8e3",
    split="by string, train 56, validation 8, calibration 8, test 9",
    seed=1,
    library_versions={"numpy": "2.3.5"},
    files={"model.json": "1b2f0a93c8d7e6f54a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f"},
)
_JOB: Final = TrainJob(
    job_id="0b9d5c7e41d84f0e9a6f2c3d8e7b1a54",
    state=TrainState.RUNNING,
    progress=0.35,
    step="features, part 7 of 20",
    started_at=_TRAINED_AT,
)

EXAMPLES: Final[Examples] = {
    "ml_predict_rul": Example(
        _PREDICTION,
        request=RulRequest(
            battery_id=_BATTERY_ID,
            string_id=_STRING_ID,
            as_of=_AS_OF,
            age_days=1968.0,
            rated_ah=120.0,
            design_life_years=10.0,
            baseline_resistance_mohm=3.5,
            daily={
                "voltage_mean_v": [13.54, 13.55, 13.54],
                "temperature_mean_c": [24.8, 24.9, None],
                "resistance_25c_mohm": [4.29, None, 4.31],
            },
        ),
    ),
    "ml_predict_rul_batch": Example(
        RulBatchResponse(
            model_version=_VERSION,
            predictions=[_PREDICTION],
            drift=[FeatureDrift(feature="resistance_drift_pct", psi=0.07, share_known=0.99)],
        ),
        request=RulBatchRequest(
            as_of=_AS_OF,
            battery_id=[_BATTERY_ID],
            string_id=[_STRING_ID],
            age_days=[1968.0],
            rated_ah=[120.0],
            design_life_years=[10.0],
            baseline_resistance_mohm=[3.5],
            days=3,
            daily={
                "voltage_mean_v": struct.pack("<3f", 13.54, 13.55, 13.54),
                "temperature_mean_c": struct.pack("<3f", 24.8, 24.9, 24.7),
            },
        ),
    ),
    "ml_list_models": Example(ModelList(models=[_SUMMARY])),
    "ml_get_model": Example(_DETAIL),
    "ml_promote_model": Example(_DETAIL),
    "ml_start_training": Example(
        _JOB.model_copy(update={"progress": 0.0, "step": "starting"}), request=TrainRequest(dataset="/lives", seed=1)
    ),
    "ml_get_training": Example(_JOB),
}
