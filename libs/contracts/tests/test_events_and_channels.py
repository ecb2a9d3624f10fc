from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from battery_contracts import ids
from battery_contracts.channels import BATTERY_CHANNELS, LIVE_DECIMALS, LOCATION_CHANNELS, STRING_CHANNELS, Channel
from battery_contracts.events import (
    LiveColumns,
    SubscribeBattery,
    SubscribeLocation,
    TelemetryUpdate,
    battery_room,
    location_room,
)
from battery_contracts.ml import RulRequest
from battery_contracts.telemetry import BatteryColumns, BatteryReading, LocationReading, StringReading
from battery_contracts.twin_analysis import (
    MAX_PROFILE_S,
    CalibrateRequest,
    LoadStep,
    RunColumns,
    SimulateRequest,
    ValidateRequest,
)
from tests.test_ids import strings

BATTERY = "BAT-DC-CNX-01-UPS-01-STR-01-001"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
RUN: dict[str, Any] = {"time_s": [0, 1], "current_a": [0, 0], "voltage_v": [12, 12], "temperature_c": [25, 25]}


def test_rooms_of_locations_and_batteries_never_collide() -> None:
    assert location_room("DC-CNX-01") == "location:DC-CNX-01"
    assert battery_room(BATTERY) == f"battery:{BATTERY}"
    assert location_room("same") != battery_room("same")


@given(string_id=strings, position=st.integers(1, 999))
def test_any_id_of_the_grammar_can_be_subscribed_to(string_id: str, position: int) -> None:
    battery_id = ids.battery_id_at(string_id, position)
    assert SubscribeBattery(battery_id=battery_id).battery_id == battery_id
    assert SubscribeLocation(location_id=ids.location_of(battery_id)).location_id == string_id[:9]


@given(text=st.text(max_size=40))
def test_no_other_text_opens_a_room(text: str) -> None:
    with pytest.raises(ValidationError):
        SubscribeBattery(battery_id=text)
    with pytest.raises(ValidationError):
        SubscribeLocation(location_id=text)


def test_an_update_survives_the_wire_and_names_utc() -> None:
    columns = LiveColumns(battery_id=[BATTERY], time=[NOW], voltage_v=[13.65], soc_pct=[None])
    update = TelemetryUpdate(room="r", seq=4, location_id="DC-CNX-01", timestamp=NOW, columns=columns)
    text = update.model_dump_json(exclude_none=True)
    assert TelemetryUpdate.model_validate_json(text) == update
    assert '"timestamp":"2026-11-20T00:00:00Z"' in text
    assert "current_a" not in text


@pytest.mark.parametrize(
    ("channels", "model"),
    [(BATTERY_CHANNELS, BatteryReading), (STRING_CHANNELS, StringReading), (LOCATION_CHANNELS, LocationReading)],
)
def test_every_channel_is_a_field_that_senders_may_set_and_may_omit(
    channels: tuple[Channel, ...], model: type[BatteryReading | StringReading | LocationReading]
) -> None:
    names = [channel.name for channel in channels]
    assert len(set(names)) == len(names)
    assert set(names) <= model.model_fields.keys()
    assert all(not model.model_fields[name].is_required() for name in names)


def test_both_shapes_of_a_battery_reading_have_the_same_columns() -> None:
    assert list(BatteryReading.model_fields) == list(BatteryColumns.model_fields)


def test_live_values_have_a_resolution_each() -> None:
    assert set(LIVE_DECIMALS) == LiveColumns.model_fields.keys() - {"battery_id", "time"}
    for channel in BATTERY_CHANNELS:
        assert LIVE_DECIMALS[channel.name] == channel.decimals


@pytest.mark.parametrize("channel", [*BATTERY_CHANNELS, *STRING_CHANNELS, *LOCATION_CHANNELS], ids=lambda c: c.name)
def test_a_hint_names_its_unit_and_the_resolution_is_finer_than_the_range(channel: Channel) -> None:
    assert channel.scale_hint is None or channel.scale_hint_unit is not None
    assert channel.decimals >= 0
    assert 10.0**-channel.decimals < channel.high - channel.low


@pytest.mark.parametrize("days", [1, 1100])
def test_a_daily_history_holds_up_to_three_years(days: int) -> None:
    assert len(rul_request({"temperature_mean_c": [25.0] * days}).daily["temperature_mean_c"]) == days


@pytest.mark.parametrize("daily", [{}, {"a": []}, {"a": [1.0], "b": [1.0, 2.0]}, {"a": [1.0] * 1101}])
def test_a_daily_history_that_does_not_fit_is_rejected(daily: dict[str, list[float]]) -> None:
    with pytest.raises(ValidationError, match="daily"):
        rul_request(daily)


def rul_request(daily: dict[str, Any]) -> RulRequest:
    unknown = dict.fromkeys(("age_days", "rated_ah", "design_life_years"))
    return RulRequest.model_validate({"battery_id": "A", "string_id": "S", "as_of": NOW, "daily": daily, **unknown})


@pytest.mark.parametrize("column", ["current_a", "voltage_v", "temperature_c"])
def test_a_run_with_a_short_column_names_it(column: str) -> None:
    with pytest.raises(ValidationError, match=f"{column} has 1 values where time_s has 2"):
        RunColumns.model_validate(RUN | {column: [1]})


@pytest.mark.parametrize("change", [{"time_s": [0]}, {"voltage_v": [31, 12]}, {"current_a": [float("nan"), 0]}])
def test_a_run_with_impossible_values_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RunColumns.model_validate(RUN | change)


def test_each_run_has_its_initial_state_of_charge() -> None:
    request = {"rated_ah": 120, "runs": [RUN, RUN]}
    assert CalibrateRequest.model_validate(request | {"initial_soc": [1.0, None]}).initial_soc == [1.0, None]
    with pytest.raises(ValidationError, match="initial_soc has 1 values where runs has 2"):
        CalibrateRequest.model_validate(request | {"initial_soc": [1.0]})


@pytest.mark.parametrize("load", [{}, {"current_a": -60, "power_w": 700}])
def test_a_load_is_either_a_current_or_a_power(load: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        LoadStep.model_validate({"duration_s": 60, **load})
    assert LoadStep(duration_s=60, power_w=700).current_a is None


def test_a_model_of_the_block_is_needed() -> None:
    with pytest.raises(ValidationError, match="rated_ah is needed where no parameters are given"):
        ValidateRequest.model_validate({"run": RUN})
    with pytest.raises(ValidationError, match="rated_ah is needed where no parameters are given"):
        SimulateRequest.model_validate(
            {"blocks": [{"battery_id": "A", "soc_pct": 90}], "profile": [{"duration_s": 1, "current_a": -1}]}
        )


def simulation(*durations_s: float) -> dict[str, object]:
    return {
        "blocks": [{"battery_id": "A", "soc_pct": 90}],
        "profile": [{"duration_s": duration_s, "current_a": -10} for duration_s in durations_s],
        "rated_ah": 120,
    }


def test_a_load_profile_covers_two_days_at_most() -> None:
    day_s = 86_400.0
    # The last step is held to the end anyway, so that its own length does not count.
    accepted = SimulateRequest.model_validate(simulation(day_s, day_s, 30 * day_s))
    assert sum(step.duration_s for step in accepted.profile[:-1]) == MAX_PROFILE_S
    with pytest.raises(ValidationError, match=r"take 172801 s; a simulation covers at most 172800 s, so shorten them"):
        SimulateRequest.model_validate(simulation(day_s, day_s, 1.0, 60.0))


def test_a_single_step_may_be_as_long_as_any() -> None:
    assert SimulateRequest.model_validate(simulation(2_592_000)).profile[0].duration_s == 2_592_000
    with pytest.raises(ValidationError):
        SimulateRequest.model_validate(simulation(2_592_001))
