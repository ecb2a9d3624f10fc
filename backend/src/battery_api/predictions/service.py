"""Predictions as their endpoints return them."""

from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import BatteryNotFound
from battery_api.predictions import outcome_repository, read_repository, run_repository
from battery_api.predictions.drift_out import drift_out
from battery_api.predictions.errors import RunNotFound, RunRunning
from battery_api.predictions.fusion import RulSource, longer_than
from battery_api.predictions.job import last_whole_day_end
from battery_api.predictions.read_repository import PredictionFilter
from battery_api.predictions.run_repository import PredictionRunRow
from battery_api.predictions.run_schemas import RunOut, run_out
from battery_api.predictions.schemas import (
    BatteryRul,
    ModelAccuracy,
    PredictionItem,
    RulDays,
    RulEntry,
)
from battery_servicekit.pagination import Page, PageRequest
from battery_servicekit.problems import FieldError


class PredictionService:
    """Reads predictions and starts runs for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now

    async def get_battery(self, battery_id: str, page: PageRequest) -> BatteryRul:
        """Return the predictions of a battery, newest first."""
        battery = await read_repository.find_battery(self._connection, battery_id, self._principal.location_codes)
        if battery is None:
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        rows, total = await read_repository.list_entries(self._connection, battery.key, page)
        newest, _ = await read_repository.list_entries(self._connection, battery.key, PageRequest(0, 1))
        reason = "retired" if battery.retired_at is not None else None if newest else "not_predicted_yet"
        return BatteryRul(
            battery_id=battery.code,
            latest=_entry(newest[0]) if newest else None,
            missing_reason=reason,
            items=[_entry(row) for row in rows],
            total=total,
            skip=page.skip,
            limit=page.limit,
        )

    async def list_newest(
        self, wanted: PredictionFilter, page: PageRequest, *, sort: str, order: str
    ) -> Page[PredictionItem]:
        """List the newest prediction of each battery in service."""
        rows, total = await read_repository.list_newest(
            self._connection, wanted, page, self._now, sort=sort, order=order
        )
        return Page(items=[_item(row) for row in rows], total=total, skip=page.skip, limit=page.limit)

    async def start_run(self, request_key: UUID | None) -> RunOut:
        """Start a run that a process will carry out; raises `RunRunning` while another one runs."""
        await run_repository.interrupt_dead(self._connection, self._now)
        key = await run_repository.start(
            self._connection,
            "manual",
            last_whole_day_end(self._now),
            self._now,
            requested_by=self._principal.name,
            request_key=request_key,
        )
        if key is not None:
            return await self.get_run(key)
        if request_key is not None:
            asked = await run_repository.find_requested(self._connection, request_key)
            if asked is not None:
                return self._run_out(asked)
        running = await run_repository.find_running(self._connection)
        number = "none" if running is None else str(running.key)
        raise RunRunning(
            f"Run {number} is running; wait for its end.",
            errors=[FieldError(field="run_id", code=RunRunning.code, detail=number)],
        )

    async def get_run(self, run_id: int) -> RunOut:
        """Return a run."""
        row = await run_repository.find(self._connection, run_id)
        if row is None:
            raise RunNotFound(f"No run {run_id}.")
        return self._run_out(row)

    async def get_accuracy(self, version: str) -> ModelAccuracy:
        """Return how far the predictions of a version were off, and how far its inputs have moved."""
        row = await outcome_repository.find_accuracy(self._connection, version)
        drift, missing = drift_out(
            await run_repository.find_drift(self._connection, version), self._principal.location_codes
        )
        return ModelAccuracy(version=version, **row._asdict(), drift=drift, drift_missing_reason=missing)

    def _run_out(self, row: PredictionRunRow) -> RunOut:
        return run_out(row, sees_all=self._principal.location_codes is None)


def _item(row: RowMapping) -> PredictionItem:
    columns = {name: value for name, value in row.items() if not name.endswith("_code") and name != "left_days"}
    ids = {f"{name}_id": row[f"{name}_code"] for name in ("battery", "string", "location")}
    return PredictionItem.model_validate({**columns, **ids})


def _entry(row: RowMapping) -> RulEntry:
    fused_beyond = row["fused_longer_than_days"]
    ml_days = np.array([row[f"ml_{level}_days"] for level in ("p10", "p50", "p90")], np.float64)
    ml_beyond = longer_than(RulSource.ML, ml_days, ml_days, row["follow_up_days"])
    return RulEntry(
        predicted_at=row["predicted_at"],
        as_of=row["as_of"],
        source=RulSource(row["source"]),
        fused=_days(row, "fused", fused_beyond),
        ml=_days(row, "ml", ml_beyond),
        twin=_days(row, "twin", None),
        twin_weight=row["twin_weight"],
        is_conflict=row["is_conflict"],
        difference_pct=row["difference_pct"],
        conflict_advice=row["conflict_advice"],
        confidence=row["ml_confidence"],
        widened_because=row["ml_widened"] or [],
        reasons=row["ml_reasons"] or [],
        peer_deviation=row["peer_deviation"],
        peer_deviation_of=row["peer_deviation_of"],
        model_version=row["ml_model_version"],
        twin_provenance=row["twin_provenance"],
    )


def _days(row: RowMapping, source: str, longer_than_days: float | None) -> RulDays:
    return RulDays(
        p10_days=row[f"{source}_p10_days"],
        p50_days=row[f"{source}_p50_days"],
        p90_days=row[f"{source}_p90_days"],
        longer_than_days=longer_than_days,
        withheld_reason=row[f"{source}_withheld_reason"],
    )
