from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from battery_contracts.channels import BATTERY_CHANNELS, LOCATION_CHANNELS, STRING_CHANNELS
from battery_contracts.clients.errors import ServiceUnavailable
from battery_contracts.clients.mocks import ConstantTwin, UnavailableTwin
from battery_contracts.enums import ReadingQuality, Role, Severity
from battery_contracts.fleet import BATTERY_MODELS, FleetRow
from battery_contracts.telemetry import BatteryColumns, BatteryReading, StringReading, TelemetryBatch
from battery_contracts.twin import EstimateRequest

BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"


def row(**changes: Any) -> dict[str, Any]:
    sound = {
        "location_id": "DC-CNX-01",
        "location_name": "Chiang Mai",
        "region": "northern",
        "latitude": 18.79,
        "longitude": 98.99,
        "altitude_m": 310,
        "commissioned_on": date(2018, 3, 15),
        "utility": "PEA",
        "climate_zone": "N",
        "system_id": "DC-CNX-01-UPS-01",
        "system_kind": "UPS",
        "rated_power_kva": 200,
        "string_id": "DC-CNX-01-UPS-01-STR-01",
        "battery_id": BATTERY,
        "position": 1,
        "model_id": "CSB-HX12-120",
        "serial_number": "HX-0001",
        "installed_on": date(2022, 1, 1),
    }
    return sound | changes


def test_a_consistent_row_is_accepted() -> None:
    assert FleetRow(**row()).position == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"string_id": "DC-CNX-01-UPS-01-STR-02"}, "battery_id"),
        ({"system_id": "DC-CNX-01-UPS-02"}, "string_id"),
        ({"location_id": "DC-BKK-01"}, "location_id"),
        ({"position": 2}, "position 2"),
        ({"model_id": "X"}, "known: CSB-HX12-120"),
        ({"installed_on": date(2017, 1, 1)}, "before the location's commissioned_on"),
        ({"latitude": 91}, "latitude"),
        ({"rated_power_kva": 0}, "rated_power_kva"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_row_that_contradicts_itself_names_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FleetRow(**row(**changes))


def test_nameplates_are_of_twelve_volt_blocks_within_their_float_band() -> None:
    for model in BATTERY_MODELS.values():
        set_point_v = 2.275 * model.cell_count
        assert model.cell_count * 2 == model.nominal_voltage_v
        assert model.float_voltage_low_v < set_point_v < model.float_voltage_high_v
        assert model.float_compensation_v_per_c < 0


def test_channels_have_limits_in_order_and_names_that_carry_the_unit() -> None:
    for channel in (*BATTERY_CHANNELS, *STRING_CHANNELS, *LOCATION_CHANNELS):
        assert channel.low < channel.high
        assert channel.name.rsplit("_", 1)[1] in {"v", "a", "c", "mohm", "ma", "pct"}


def test_both_shapes_of_a_batch_survive_the_wire() -> None:
    time = datetime(2026, 1, 31, 1, 2, 3, 456000, tzinfo=UTC)
    batch = TelemetryBatch(
        readings=[BatteryReading(battery_id=BATTERY, time=time, voltage_v=13.6)],
        columns=BatteryColumns(battery_id=[BATTERY], time=[time], temperature_c=[None]),
        string_readings=[StringReading(string_id="DC-CNX-01-UPS-01-STR-01", time=time, mode="float")],
    )
    assert TelemetryBatch.model_validate_json(batch.model_dump_json()) == batch


def test_columns_of_different_length_and_naive_times_are_refused() -> None:
    time = datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(ValidationError, match="differ in length"):
        BatteryColumns(battery_id=[BATTERY], time=[time, time])
    with pytest.raises(ValidationError, match="timezone"):
        BatteryReading(battery_id=BATTERY, time=time.replace(tzinfo=None))


def test_senders_cannot_set_what_the_platform_estimates() -> None:
    with pytest.raises(ValidationError, match="soc_pct"):
        BatteryReading(battery_id=BATTERY, time=datetime(2026, 1, 31, tzinfo=UTC), soc_pct=100.0)  # type: ignore[call-arg]


def test_quality_flags_are_listed_by_name_in_order() -> None:
    flags = ReadingQuality.LATE | ReadingQuality.TWIN_UNAVAILABLE
    assert flags.codes() == ["twin_unavailable", "late"]
    assert ReadingQuality.NONE.codes() == []


def test_severities_and_roles_have_an_order() -> None:
    assert Severity.INFO.rank < Severity.WARNING.rank < Severity.CRITICAL.rank
    assert Role.VIEWER.rank < Role.ENGINEER.rank < Role.ADMIN.rank


def estimate_request(count: int = 2, **changes: Any) -> EstimateRequest:
    return EstimateRequest(
        **(
            {
                "battery_id": [BATTERY] * count,
                "model_id": ["CSB-HX12-120"] * count,
                "dt_s": [None] * count,
                "voltage_v": [13.6] * count,
                "current_a": [0.0] * count,
                "temperature_c": [25.0] * count,
                "internal_resistance_mohm": [None] * count,
                "float_current_ma": [40.0] * count,
                "mode": ["float"] * count,
                "state": [None] * count,
            }
            | changes
        )
    )


def test_state_bytes_of_a_request_to_the_twin_survive_the_wire() -> None:
    request = estimate_request(state=[b"\x00\x01\xff\x80", None])
    assert EstimateRequest.model_validate_json(request.model_dump_json()) == request
    # Base64 travels, since JSON has no bytes.
    assert "AAH_gA==" in request.model_dump_json()


def test_a_request_with_columns_of_different_length_is_rejected() -> None:
    with pytest.raises(ValidationError, match="differ in length"):
        estimate_request(voltage_v=[13.6])


async def test_the_mocks_follow_the_contract() -> None:
    answer = await ConstantTwin(soh_pct=91.0).estimate(estimate_request(3))
    assert answer.soh_pct == [91.0] * 3
    # Three readings of one battery: the last one has the state that they leave.
    assert answer.state == [None, None, b"3"]
    with pytest.raises(ServiceUnavailable):
        await UnavailableTwin().estimate(estimate_request())
