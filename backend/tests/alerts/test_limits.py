from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.rules import RULE_BY_ID, RULES, RULES_OF
from battery_api.alerts.limits import Override, OverrideScope, OverrideSet, band_of, is_band_valid, resolve
from battery_api.fleet.catalogue import BatteryEntry

RULE = RULE_BY_ID["temperature_high.high"]
ENTRY = BatteryEntry(
    key=1,
    code="BAT-DC-CNX-01-UPS-01-STR-01-001",
    position=1,
    string_key=1,
    string_code="DC-CNX-01-UPS-01-STR-01",
    system_code="DC-CNX-01-UPS-01",
    location_key=1,
    location_code="DC-CNX-01",
    model_code="CSB-HX12-120",
    installed_at=datetime(2020, 1, 1, tzinfo=UTC),
    cell_count=6,
    rated_capacity_ah=120.0,
    float_voltage_low_v=13.5,
    float_voltage_high_v=13.8,
    float_compensation_v_per_c=-0.02,
    nominal_resistance_mohm=3.5,
    baseline_resistance_mohm=3.5,
    baseline_temperature_c=25.0,
)
AT = {
    OverrideScope.MODEL: ENTRY.model_code,
    OverrideScope.LOCATION: ENTRY.location_code,
    OverrideScope.STRING: ENTRY.string_code,
    OverrideScope.BATTERY: ENTRY.code,
}


def override(scope: OverrideScope, **values: float | bool) -> Override:
    return Override(RULE.rule_id, scope, AT[scope], **values)  # type: ignore[arg-type]


def test_defaults_without_overrides() -> None:
    effective = OverrideSet().effective(RULE, ENTRY)
    assert effective.limits() == RULE.limits()
    assert set(effective.origin.values()) == {None}


def test_nearest_scope_wins_value_by_value() -> None:
    given_overrides = [
        override(OverrideScope.MODEL, raise_value=32.0, hold_s=60.0),
        override(OverrideScope.LOCATION, raise_value=33.0),
        override(OverrideScope.BATTERY, clear_hold_s=5.0),
    ]
    effective = OverrideSet(given_overrides).effective(RULE, ENTRY)
    assert (effective.raise_value, effective.clear_value) == (33.0, 32.0)
    assert (effective.hold_s, effective.clear_hold_s, effective.enabled) == (60.0, 5.0, True)
    origin = {name: one.scope if one else None for name, one in effective.origin.items()}
    assert origin == {
        "raise_value": OverrideScope.LOCATION,
        "clear_value": OverrideScope.LOCATION,
        "hold_s": OverrideScope.MODEL,
        "clear_hold_s": OverrideScope.BATTERY,
        "enabled": None,
    }


def test_battery_may_switch_on_what_its_location_switched_off() -> None:
    both = [override(OverrideScope.LOCATION, enabled=False), override(OverrideScope.BATTERY, enabled=True)]
    assert not OverrideSet(both[:1]).effective(RULE, ENTRY).enabled
    assert OverrideSet(both).effective(RULE, ENTRY).enabled


def test_limit_table_holds_only_what_differs() -> None:
    rules = RULES_OF[SubjectKind.BATTERY]
    assert OverrideSet().limit_table(rules, [ENTRY]).overridden == {}
    elsewhere = Override(RULE.rule_id, OverrideScope.LOCATION, "DC-HDY-01", raise_value=20.0)
    assert OverrideSet([elsewhere]).limit_table(rules, [ENTRY]).overridden == {}
    table = OverrideSet([override(OverrideScope.STRING, raise_value=31.0)]).limit_table(rules, [ENTRY])
    assert list(table.overridden) == [RULE.rule_id]
    assert table.of(RULE, 0).raise_value == 31.0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_open_side_of_a_band_keeps_the_default_distance(rule: object) -> None:
    assert isinstance(rule, type(RULE))
    assert band_of(rule, None, None) == (rule.raise_value, rule.clear_value)
    assert is_band_valid(rule, *band_of(rule, 7.0, None))
    assert is_band_valid(rule, *band_of(rule, None, 7.0))


values = st.none() | st.floats(-50, 50)


@given(st.lists(st.tuples(st.sampled_from(list(OverrideScope)), values, values), max_size=4))
def test_scopes_never_meet_in_a_clear_value_on_the_wrong_side(items: list[tuple[OverrideScope, float, float]]) -> None:
    accepted = []
    for scope, raise_value, clear_value in items:
        if is_band_valid(RULE, *band_of(RULE, raise_value, clear_value)):
            accepted.append(Override(RULE.rule_id, scope, AT[scope], raise_value=raise_value, clear_value=clear_value))
    effective = resolve(RULE, accepted)
    assert is_band_valid(RULE, effective.raise_value, effective.clear_value)
