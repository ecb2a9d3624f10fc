"""The question to the ageing law: age, temperatures, discharges and capacities of each battery of a location."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_api.predictions.evidence_repository import BatteryEvidence, DischargeRow
from battery_contracts.enums import Provenance, ReadingQuality
from battery_contracts.ml import RulBatchRequest
from battery_contracts.twin_analysis import CapacityEvidence, PhysicsRulQuery, PhysicsRulRequest, TemperatureSpan

FloatArray = npt.NDArray[np.float64]
_DAY_S: Final = 86_400.0
_DAYS_PER_YEAR: Final = 365.25
_LEAST_TEMPERATURE_DAYS: Final = 30
"""Days with a temperature below which the ageing rate is a guess; EJ."""
_LEAST_CYCLE_DAYS: Final = 90
"""Days on record below which the rate of discharges is left to the law; EJ: outages come in seasons."""
_BIN_C: Final = 0.5
_TEMPERATURE: Final = "temperature_mean_c"
_MAX_DEPTHS, _MAX_EVIDENCE = 20_000, 1000


class NoForecastReason(StrEnum):
    """Why the ageing law is not asked for a battery."""

    SENSOR_FAULT = "sensor_fault"
    NO_TEMPERATURE_HISTORY = "no_temperature_history"


@dataclass(frozen=True, slots=True)
class PhysicsQuestion:
    """The request, None if no battery can be asked for, and why the others are not in it, by battery id."""

    request: PhysicsRulRequest | None
    withheld: dict[str, NoForecastReason]


def question_of(
    evidence: Sequence[BatteryEvidence], histories: RulBatchRequest | None, as_of: datetime
) -> PhysicsQuestion:
    """Return the question for the batteries of a location."""
    temperatures = temperatures_of(histories)
    queries: list[PhysicsRulQuery] = []
    withheld: dict[str, NoForecastReason] = {}
    for one in evidence:
        temperature_c = temperatures.get(one.battery.code, np.empty(0))
        if ReadingQuality.SENSOR_FAULT in ReadingQuality(one.battery.quality):
            withheld[one.battery.code] = NoForecastReason.SENSOR_FAULT
        elif len(temperature_c) < _LEAST_TEMPERATURE_DAYS:
            withheld[one.battery.code] = NoForecastReason.NO_TEMPERATURE_HISTORY
        else:
            queries.append(_query(one, temperature_c, as_of))
    return PhysicsQuestion(PhysicsRulRequest(as_of=as_of, batteries=queries) if queries else None, withheld)


def temperatures_of(histories: RulBatchRequest | None) -> Mapping[str, FloatArray]:
    """Return the known daily mean temperatures in degrees Celsius by battery id, without those no sensor measures."""
    if histories is None or _TEMPERATURE not in histories.daily:
        return {}
    table = np.frombuffer(histories.daily[_TEMPERATURE], "<f4").astype(np.float64)
    rows = table.reshape(len(histories.battery_id), histories.days)
    return {
        code: row[np.isfinite(row) & (row >= -40.0) & (row <= 90.0)]
        for code, row in zip(histories.battery_id, rows, strict=True)
    }


def _query(one: BatteryEvidence, temperature_c: FloatArray, as_of: datetime) -> PhysicsRulQuery:
    battery = one.battery
    recorded_days = len(temperature_c)
    cycles_per_year, depth_pct = _duty(one.discharges, recorded_days, as_of)
    return PhysicsRulQuery(
        battery_id=battery.code,
        age_days=max(0.0, _days_between(battery.installed_at, as_of)),
        design_life_years=battery.design_life_years,
        temperature_history=_spans(temperature_c),
        discharge_depths_pct=[_depth(row) for row in one.discharges][-_MAX_DEPTHS:],
        expected_cycles_per_year=cycles_per_year,
        expected_depth_pct=depth_pct,
        evidence=[item for row in one.discharges if (item := _capacity(row, as_of)) is not None][-_MAX_EVIDENCE:],
    )


def _spans(temperature_c: FloatArray) -> list[TemperatureSpan]:
    # The law sums rates, so the order of the days does not matter, and half a degree is below its own deviation.
    bins, counts = np.unique(np.round(temperature_c / _BIN_C), return_counts=True)
    return [
        TemperatureSpan(days=float(count), temperature_c=float(index * _BIN_C))
        for index, count in zip(bins, counts, strict=True)
    ]


def _duty(discharges: Sequence[DischargeRow], days: int, as_of: datetime) -> tuple[float | None, float | None]:
    """Return discharges per year and their mean depth over the days on record, None where these are too few.

    Discharges from before the record began are unknown, so that a rate over the whole age would be too low.
    """
    if days < _LEAST_CYCLE_DAYS:
        return None, None
    depths = [_depth(row) for row in discharges if _days_between(row.ended_at, as_of) <= days]
    mean_pct = float(np.mean(depths)) if depths else None
    return min(5000.0, len(depths) * _DAYS_PER_YEAR / days), mean_pct


def _capacity(row: DischargeRow, as_of: datetime) -> CapacityEvidence | None:
    if row.soh_pct is None or not row.soh_sd_pct or row.soh_provenance is None:
        return None
    return CapacityEvidence(
        soh_pct=min(150.0, max(0.0, row.soh_pct)),
        soh_sd_pct=min(100.0, row.soh_sd_pct),
        provenance=Provenance(row.soh_provenance),
        age_days=max(0.0, _days_between(row.ended_at, as_of)),
    )


def _depth(row: DischargeRow) -> float:
    return min(100.0, max(0.0, row.depth_pct))


def _days_between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / _DAY_S
