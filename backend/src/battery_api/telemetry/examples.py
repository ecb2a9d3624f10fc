"""Examples of the telemetry endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_api.telemetry.schemas import (
    ChannelPoints,
    DayCompleteness,
    EnvironmentColumns,
    EnvironmentSeries,
    LatestColumns,
    RoomSequence,
    SeriesColumns,
    StatePoints,
    StringSeries,
    StringSeriesColumns,
    TelemetryLatest,
    TelemetrySeries,
    YesOrNoPoints,
)
from battery_contracts.enums import HealthStatus, HvacState, RejectCode, StringMode
from battery_contracts.telemetry import (
    BatteryReading,
    IngestResult,
    LocationReading,
    Rejection,
    StringReading,
    TelemetryBatch,
)
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

_BATTERY_ID: Final = "BAT-DC-CNX-01-UPS-01-STR-01-001"
_TIME: Final = datetime(2026, 11, 20, 1, 9, 42, tzinfo=UTC)
_HOURS: Final = [datetime(2026, 11, 19, 23, 0, tzinfo=UTC), datetime(2026, 11, 20, 0, 0, tzinfo=UTC)]


def _points(low: float | None, high: float | None, mean: float | None, last: float | None) -> ChannelPoints:
    return ChannelPoints(min=[low, low], max=[high, high], mean=[mean, mean], last=[last, last])


EXAMPLES: Final[Examples] = {
    "telemetry_post_telemetry": Example(
        IngestResult(
            accepted=3,
            duplicates=0,
            late=0,
            rejected_count=1,
            rejected=[
                Rejection(
                    list="readings",
                    index=1,
                    code=RejectCode.UNKNOWN_ID,
                    detail="BAT-DC-CNX-01-UPS-01-STR-01-099 is not in the fleet.",
                )
            ],
        ),
        request=TelemetryBatch(
            readings=[
                BatteryReading(battery_id=_BATTERY_ID, time=_TIME, voltage_v=13.54, temperature_c=24.8),
                BatteryReading(battery_id="BAT-DC-CNX-01-UPS-01-STR-01-099", time=_TIME, voltage_v=13.53),
            ],
            string_readings=[
                StringReading(
                    string_id="DC-CNX-01-UPS-01-STR-01",
                    time=_TIME,
                    current_a=0.0,
                    float_current_ma=41.5,
                    mode=StringMode.FLOAT,
                )
            ],
            site_readings=[
                LocationReading(location_id="DC-CNX-01", time=_TIME, ambient_c=23.1, hvac=HvacState.RUNNING, mains=True)
            ],
        ),
    ),
    "telemetry_get_latest": Example(
        TelemetryLatest(
            generated_at=datetime(2026, 11, 20, 1, 10, tzinfo=UTC),
            locations={"DC-CNX-01": RoomSequence(seq=20_417)},
            columns=LatestColumns(
                battery_id=[_BATTERY_ID, "BAT-DC-CNX-01-UPS-01-STR-01-002"],
                time=[_TIME, None],
                received_at=[datetime(2026, 11, 20, 1, 9, 43, tzinfo=UTC), None],
                voltage_v=[13.54, None],
                current_a=[0.0, None],
                temperature_c=[24.8, None],
                internal_resistance_mohm=[4.31, None],
                resistance_drift_pct=[23.1, None],
                soc_pct=[98.6, None],
                soh_pct=[93.1, None],
                status=[HealthStatus.WARNING, HealthStatus.NO_DATA],
                stale_after_s=[300.0, 300.0],
                open_critical=[0, 0],
                open_warning=[1, 0],
            ),
        )
    ),
    "telemetry_export_telemetry": Example(
        "battery_id,time,voltage_v,current_a,temperature_c,internal_resistance_mohm,soc_pct,soh_pct,quality\n"
        f"{_BATTERY_ID},2026-11-20T01:09:42.000000Z,13.54,0,24.8,,98.6,93.1,current_from_string\n"
    ),
    "telemetry_get_completeness": Example(
        Page[DayCompleteness](
            items=[
                DayCompleteness(
                    battery_id=_BATTERY_ID,
                    day="2026-11-19",
                    expected=1440,
                    received=1436,
                    accepted=1431,
                    late=12,
                    merged=3,
                    corrected=0,
                    duplicate=2,
                    rejected=0,
                    complete_pct=99.4,
                )
            ],
            total=1,
            skip=0,
            limit=100,
        )
    ),
    "telemetry_get_series": Example(
        TelemetrySeries(
            battery_id=_BATTERY_ID,
            start=_HOURS[0],
            end=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
            resolution="1h",
            bucket_s=3600,
            source="telemetry_hourly",
            point_count=2,
            raw_available_from=datetime(2026, 8, 22, 1, 10, tzinfo=UTC),
            columns=SeriesColumns(
                time=_HOURS,
                count=[60, 60],
                voltage_v=_points(13.52, 13.56, 13.54, 13.54),
                current_a=_points(0.0, 0.0, 0.0, 0.0),
                temperature_c=_points(24.6, 25.0, 24.8, 24.8),
                internal_resistance_mohm=_points(None, None, None, None),
                soc_pct=_points(98.5, 98.7, 98.6, 98.6),
                soh_pct=_points(93.1, 93.1, 93.1, 93.1),
            ),
        )
    ),
    "telemetry_get_string_series": Example(
        StringSeries(
            string_id="DC-CNX-01-UPS-01-STR-01",
            start=_HOURS[0],
            end=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
            resolution="1h",
            bucket_s=3600,
            point_count=2,
            columns=StringSeriesColumns(
                time=_HOURS,
                count=[60, 60],
                voltage_v=_points(324.6, 325.4, 325.1, 325.1),
                current_a=_points(0.0, 0.0, 0.0, 0.0),
                float_current_ma=_points(39.0, 44.5, 41.5, 41.0),
                ripple_voltage_v=_points(0.29, 0.34, 0.31, 0.31),
                ripple_current_a=_points(1.7, 1.9, 1.8, 1.8),
                mode=StatePoints(last=["float", "float"], seen=[["float"], ["float"]]),
                reported_mode=StatePoints(last=["float", "float"], seen=[["float"], ["float"]]),
            ),
        )
    ),
    "telemetry_get_environment": Example(
        EnvironmentSeries(
            location_id="DC-CNX-01",
            start=_HOURS[0],
            end=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
            resolution="1h",
            bucket_s=3600,
            point_count=2,
            columns=EnvironmentColumns(
                time=_HOURS,
                count=[60, 60],
                ambient_c=_points(22.8, 23.4, 23.1, 23.1),
                humidity_pct=_points(52.0, 56.0, 54.0, 54.0),
                hvac=StatePoints(last=["running", "running"], seen=[["running"], ["running"]]),
                mains=YesOrNoPoints(last=[True, True], seen=[[True], [False, True]]),
            ),
        )
    ),
}
