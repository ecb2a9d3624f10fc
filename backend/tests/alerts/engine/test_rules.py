import itertools
import subprocess
import sys

import numpy as np
import pytest

from battery_api.alerts.engine.floors import floor_of
from battery_api.alerts.engine.ladders import Direction, Gate, Rule, SubjectKind
from battery_api.alerts.engine.prediction_rules import PREDICTION_RULES
from battery_api.alerts.engine.rules import CLOCK_RULE, RULE_BY_ID, RULES, WATCH_RULES
from battery_api.alerts.engine.signals import battery_signals, location_signals, string_signals
from battery_api.alerts.limits import SCOPES_OF, is_band_valid
from battery_api.alerts.messages import MESSAGES, render
from battery_contracts.enums import AlertType, RespondWithin, Severity

ALL = (*RULES, *WATCH_RULES, *PREDICTION_RULES, CLOCK_RULE)


@pytest.mark.parametrize("alert_type", AlertType)
def test_every_alert_type_has_a_rule(alert_type: AlertType) -> None:
    assert any(rule.type is alert_type for rule in RULE_BY_ID.values())


def test_runaway_is_a_life_safety_rule_that_no_gate_or_override_silences() -> None:
    runaway = [rule for rule in RULES if rule.type is AlertType.THERMAL_RUNAWAY]
    assert {rule.gate for rule in runaway} == {Gate.ALWAYS}
    assert all(floor_of(rule) is not None for rule in runaway)


def test_an_ohmic_test_puts_no_danger_rule_to_sleep() -> None:
    asleep = {rule.signal for rule in RULES if rule.gate is Gate.STEADY_FLOAT}
    assert asleep >= {"voltage_v", "voltage_spread_v", "float_current_ma_per_ah"}
    assert not asleep & {"temperature_c", "temperature_over_room_c", "resistance_drift_pct"}


def test_rule_ids_are_unique() -> None:
    assert len(RULE_BY_ID) == len(ALL)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.rule_id)
def test_rule_is_sound(rule: Rule) -> None:
    assert rule.rule_id.startswith(rule.type.value + ".")
    assert is_band_valid(rule, rule.raise_value, rule.clear_value)
    assert rule.hold_s >= 0
    assert rule.clear_hold_s >= 0
    assert (rule.severity is Severity.CRITICAL) is (rule.respond_within is RespondWithin.SAME_DAY)
    assert rule.source
    params = {"value": 1.0, "threshold": 2.0, "hold_min": 5.0, "value_min": 6.0, "battery_count": 24, "string_id": "S"}
    params |= {
        "source": "fused",
        "p50_days": 50.0,
        "ml_p50_days": 40.0,
        "twin_p50_days": 60.0,
        "provenance": "measured",
        "float_current_ratio": 3.2,
        "over_room_c": 12.0,
        "rise_c_per_h": 4.0,
    }
    assert render(rule.message_code, params) == MESSAGES[rule.message_code].format(**params)
    assert rule.subject in SCOPES_OF


def test_every_signal_is_computed() -> None:
    empty = np.zeros(0)
    known = {
        SubjectKind.BATTERY: battery_signals(
            {},
            reference={},
            flat_s={},
            room_c=empty,
            drift_pct=empty,
            over_nominal_pct=empty,
            age_s={},
        ),
        SubjectKind.STRING: string_signals({}, 0),
        SubjectKind.LOCATION: location_signals({}, 0, hvac_loss=empty),
    }
    assert {rule.rule_id for rule in RULES if rule.signal not in known[rule.subject]} == set()


def test_worse_rules_of_a_signal_have_worse_limits() -> None:
    def ladder(rule: Rule) -> tuple[str, ...]:
        return (rule.type, rule.signal, rule.gate, rule.direction)

    for _, group in itertools.groupby(sorted(RULES, key=lambda rule: (ladder(rule), rule.urgency)), ladder):
        steps = list(group)
        for mild, severe in itertools.pairwise(steps):
            sign = 1 if mild.direction is Direction.ABOVE else -1
            assert sign * severe.raise_value >= sign * mild.raise_value


def test_a_dangerous_value_fires_at_once_whatever_the_mode() -> None:
    danger = [rule for rule in RULES if rule.rule_id.endswith(".danger")]
    assert {rule.signal for rule in danger} >= {"voltage_v", "temperature_c"}
    assert all(rule.hold_s == 0 and rule.gate == "always" and rule.severity is Severity.CRITICAL for rule in danger)


def test_message_with_missing_parameters_is_still_shown() -> None:
    assert render("temperature_high", {}) == "Temperature high"
    assert render("from_a_later_version", {}) == "From a later version"
    assert render("temperature_high", {"value": 36.04, "threshold": 35.0}) == "Temperature 36.0 °C, above 35.0 °C"


def test_engine_is_pure() -> None:
    code = (
        "import sys, battery_api.alerts.engine.batch, battery_api.alerts.engine.staleness; "
        "print(sorted({'sqlalchemy', 'fastapi', 'httpx', 'pydantic', 'asyncpg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
