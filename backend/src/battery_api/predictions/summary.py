"""The figures of the predictions that a caller sees."""

from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.predictions import read_repository, run_repository
from battery_api.predictions.answers import AnswerState
from battery_api.predictions.read_repository import LocationFigures
from battery_api.predictions.run_repository import PredictionRunRow
from battery_api.predictions.run_schemas import RunState, run_out
from battery_api.predictions.schemas import HistogramBar, LocationPredictions, PredictionSummary, SummaryState

_YEAR_DAYS: Final = 365
_LAST_YEAR: Final = 10
"""Begin of the last span of the histogram, which has no end; a design life is 10 to 12 years."""


async def summarize(connection: AsyncConnection, principal: Principal, now: datetime) -> PredictionSummary:
    """Return the figures of the batteries that the caller sees."""
    figures = await read_repository.list_figures(connection, principal.location_codes, now)
    run = await run_repository.find_newest(connection)
    finished = await run_repository.find_newest_finished(connection)
    dated = [one for one in figures if one.predicted_at is not None]
    newest = max(dated, key=lambda one: one.predicted_at or now, default=None)
    predicted, total = sum(one.predicted for one in figures), sum(one.total for one in figures)
    return PredictionSummary(
        predicted_at=None if newest is None else newest.predicted_at,
        total=total,
        predicted=predicted,
        withheld=total - predicted,
        due_within_90_days=sum(one.due_within_90_days for one in figures),
        due_within_180_days=sum(one.due_within_180_days for one in figures),
        histogram=histogram_of([days for one in figures for days in one.p50_days or ()]),
        locations=[_location(one) for one in figures],
        state=_state(run, finished, predicted),
        run=None if run is None else run_out(run, sees_all=principal.location_codes is None),
        model_version=None if newest is None else newest.model_version,
    )


def histogram_of(p50_days: list[float]) -> list[HistogramBar]:
    """Return how many medians fall into each year; a median on a border belongs to the later year."""
    years = np.minimum(np.array(p50_days, np.float64) // _YEAR_DAYS, _LAST_YEAR).astype(np.int64)
    counts = np.bincount(years, minlength=_LAST_YEAR + 1)
    return [
        HistogramBar(
            from_days=year * _YEAR_DAYS,
            to_days=None if year == _LAST_YEAR else (year + 1) * _YEAR_DAYS,
            count=int(count),
        )
        for year, count in enumerate(counts)
    ]


def _state(run: PredictionRunRow | None, finished: PredictionRunRow | None, predicted: int) -> SummaryState:
    if run is not None and run.state == RunState.RUNNING:
        return "running"
    if finished is not None and finished.ml_state == AnswerState.NO_CHAMPION:
        return "no_model"
    if finished is not None and finished.ml_state != AnswerState.ANSWERED:
        return "ml_away"
    return "ready" if predicted else "no_history"


def _location(figures: LocationFigures) -> LocationPredictions:
    return LocationPredictions(
        location_id=figures.location_code,
        total=figures.total,
        predicted=figures.predicted,
        withheld=figures.total - figures.predicted,
        due_within_90_days=figures.due_within_90_days,
        shortest_p10_days=figures.shortest_p10_days,
    )
