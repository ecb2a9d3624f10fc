"""The table of rules: what raises an alert, when it clears, how soon somebody must respond.

Rules of one type at one subject share one alert, whose severity is the highest reached. Sources in brackets are
resolved in docs/sources.md; a value without one is engineering judgement (EJ) and meant to be overridden.
"""

from dataclasses import replace
from typing import Final

from battery_api.alerts.engine.ladders import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    Direction,
    Gate,
    Rule,
    SubjectKind,
    ladder,
    month,
    same_day,
    week,
)
from battery_api.alerts.engine.prediction_rules import PREDICTION_RULES
from battery_contracts.enums import AlertType, RespondWithin, Severity

_VOLTAGE: Final = (
    *ladder(
        AlertType.VOLTAGE_LOW,
        "voltage_v",
        Direction.BELOW,
        "V",
        "voltage_low",
        levels=(
            week("float", 13.0, 13.2, 30 * MINUTE_S, source="EJ: 0.5 V below the float band", gate=Gate.STEADY_FLOAT),
            same_day(
                "float_critical",
                12.6,
                12.9,
                10 * MINUTE_S,
                source="EJ: below rest voltage, not charged",
                gate=Gate.STEADY_FLOAT,
            ),
            week("not_charged", 12.9, 13.1, 6 * HOUR_S, source="EJ: a recharge that does not rise", gate=Gate.CHARGING),
            same_day(
                "empty",
                11.4,
                11.8,
                10 * MINUTE_S,
                source="EJ: 1.90 V per cell, below an empty battery at rest",
                gate=Gate.CHARGING,
            ),
            # Ten seconds of a discharge that reports every 2 s; slower feeds need two readings.
            week("discharge", 10.5, 10.8, 10.0, source="1.75 V per cell at cut-off", gate=Gate.DISCHARGE),
            same_day(
                "discharge_critical",
                10.0,
                10.3,
                10.0,
                source="1.67 V per cell, a cell reverses next",
                gate=Gate.DISCHARGE,
            ),
            same_day(
                "danger",
                2.0,
                6.0,
                0.0,
                source="EJ: open, shorted or reversed block, or its lead",
                message_code="voltage_lost",
            ),
        ),
    ),
    *ladder(
        AlertType.VOLTAGE_LOW,
        "voltage_vs_string_v",
        Direction.BELOW,
        "V",
        "shorted_cell",
        levels=(
            same_day(
                "shorted_cell", -1.5, -1.0, 10 * MINUTE_S, source="one shorted cell of six", gate=Gate.STEADY_FLOAT
            ),
        ),
    ),
    *ladder(
        AlertType.VOLTAGE_HIGH,
        "voltage_v",
        Direction.ABOVE,
        "V",
        "voltage_high",
        levels=(
            week(
                "float",
                14.1,
                14.0,
                30 * MINUTE_S,
                source="EJ: above compensated float at 10 °C",
                gate=Gate.STEADY_FLOAT,
            ),
            same_day(
                "charge", 15.0, 14.8, 10 * MINUTE_S, source="upper end of boost voltages [LEO]", gate=Gate.CHARGING
            ),
            same_day("danger", 16.0, 15.0, 0.0, source="EJ: beyond any charge voltage"),
        ),
    ),
    *ladder(
        AlertType.STRING_IMBALANCE,
        "voltage_spread_v",
        Direction.ABOVE,
        "V",
        "voltage_spread",
        levels=(
            month("float", 0.27, 0.22, 24 * HOUR_S, source="2 % of float voltage [MAX]", gate=Gate.STEADY_FLOAT),
            week("float_high", 0.50, 0.40, HOUR_S, source="0.5 V per block [ALP]; hold EJ", gate=Gate.STEADY_FLOAT),
        ),
        # New batteries spread up to 2 % during their first months [MAX].
        settling_levels=frozenset({"float"}),
    ),
    *ladder(
        AlertType.STRING_IMBALANCE,
        "voltage_vs_string_v",
        Direction.BELOW,
        "V",
        "discharge_weak_block",
        levels=(
            week(
                "discharge",
                -0.8,
                -0.6,
                10.0,
                source="EJ: battery falls behind its string on discharge",
                gate=Gate.DISCHARGE,
            ),
            same_day("discharge_critical", -2.0, -1.6, 10.0, source="EJ: a cell reverses", gate=Gate.DISCHARGE),
        ),
    ),
)
_TEMPERATURE: Final = (
    *ladder(
        AlertType.TEMPERATURE_HIGH,
        "temperature_c",
        Direction.ABOVE,
        "°C",
        "temperature_high",
        levels=(
            month("warning", 30.0, 29.0, 24 * HOUR_S, source="EJ: life shortens"),
            week("high", 35.0, 34.0, 4 * HOUR_S, source="EJ"),
            same_day("critical", 40.0, 39.0, HOUR_S, source="EJ"),
            same_day("stop_charge", 50.0, 48.0, 5 * MINUTE_S, source="stop charging [CND]; hold EJ"),
            same_day(
                "danger", 60.0, 55.0, 0.0, source="EJ: thermal runaway or fire", message_code="temperature_danger"
            ),
        ),
    ),
    *ladder(
        AlertType.TEMPERATURE_DEVIATION,
        "temperature_over_room_c",
        Direction.ABOVE,
        "°C",
        "temperature_over_room",
        levels=(
            month("room_warning", 3.0, 2.5, 24 * HOUR_S, source="3 °C over the room [CELL]; hold EJ", gate=Gate.FLOAT),
            week("room_high", 5.0, 4.5, 4 * HOUR_S, source="5 °C over the room [CPB]; hold EJ", gate=Gate.FLOAT),
            same_day("room_critical", 10.0, 9.0, 10 * MINUTE_S, source="10 °C over the room: open the breaker [CND]"),
        ),
    ),
    *ladder(
        AlertType.TEMPERATURE_DEVIATION,
        "temperature_over_string_c",
        Direction.ABOVE,
        "°C",
        "temperature_over_string",
        # 4 and 6 °C apply against the battery's own usual offset; until that is learned, 2 °C are added for the warm
        # top tier of a rack.
        levels=(
            week("string_high", 6.0, 5.5, 4 * HOUR_S, source="EJ: 4 °C plus 2 °C for the warm tier", gate=Gate.FLOAT),
            same_day(
                "string_critical", 8.0, 7.5, HOUR_S, source="EJ: 6 °C plus 2 °C for the warm tier", gate=Gate.FLOAT
            ),
        ),
    ),
)
# Resistance is measured daily, so a hold of twelve hours means: confirmed by the next measurement. A single value may
# come from a loose sense lead; 50 % is too much to wait for.
_RESISTANCE: Final = ladder(
    AlertType.RESISTANCE_DRIFT,
    "resistance_drift_pct",
    Direction.ABOVE,
    "%",
    "resistance_drift",
    levels=(
        month(
            "warning",
            20.0,
            17.0,
            12 * HOUR_S,
            source="act at 20 % above the battery's own baseline [FLK]",
            gate=Gate.FLOAT,
        ),
        week("high", 30.0, 27.0, 12 * HOUR_S, source="30 % [FRK]", gate=Gate.FLOAT),
        same_day("critical", 50.0, 45.0, 0.0, source="50 % [ELO]", gate=Gate.FLOAT),
    ),
    max_gap_s=8 * DAY_S,
    # Resistance falls by up to 15 % in the first months: the baseline itself has not settled yet [FRK2].
    settling_levels=frozenset({"warning"}),
)
# What a channel no longer says must not pass for health. An hour is longer than any monitor's rhythm of voltages and
# temperatures that watches a battery at all.
# Without a baseline of its own a battery is judged by the nameplate, with room for the spread of meters and blocks.
_NO_BASELINE: Final = ladder(
    AlertType.RESISTANCE_DRIFT,
    "resistance_over_nominal_pct",
    Direction.ABOVE,
    "%",
    "resistance_over_nominal",
    levels=(week("nominal", 60.0, 50.0, 0.0, source="EJ: beyond the spread of models and meters", gate=Gate.FLOAT),),
    max_gap_s=8 * DAY_S,
)
_SENSORS: Final = (
    *(
        rule
        for channel in ("voltage", "temperature")
        for rule in ladder(
            AlertType.SENSOR_FAULT,
            f"{channel}_age_s",
            Direction.ABOVE,
            "s",
            f"{channel}_channel_lost",
            levels=(week(f"{channel}_lost", HOUR_S, 0.5 * HOUR_S, 0.0, source="EJ: other channels go on reporting"),),
        )
    ),
    *ladder(
        AlertType.SENSOR_FAULT,
        "voltage_vs_string_v",
        Direction.ABOVE,
        "V",
        "voltage_does_not_follow",
        # Under load a healthy block stays within tenths of a volt of its string; one far above it is not measured.
        levels=(
            week(
                "stuck_on_discharge",
                0.8,
                0.5,
                60.0,
                source="EJ: the voltage does not fall with its string",
                gate=Gate.DISCHARGE,
            ),
        ),
    ),
    *(
        rule
        for channel, flat_s in (("voltage", HOUR_S), ("temperature", 6 * HOUR_S))
        for rule in ladder(
            AlertType.SENSOR_FAULT,
            f"{channel}_flat_s",
            Direction.ABOVE,
            "s",
            f"{channel}_flat",
            levels=(week(f"{channel}_flat", flat_s, 0.0, 0.0, source="EJ: its string moves meanwhile"),),
        )
    ),
    *ladder(
        AlertType.DATA_QUALITY,
        "current_contradicted",
        Direction.ABOVE,
        None,
        "current_contradicted",
        levels=(week("current", 0.5, 0.5, 5 * MINUTE_S, source="EJ: longer than a surface charge lasts"),),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.DATA_QUALITY,
        "voltage_off_sum_pct",
        Direction.ABOVE,
        "%",
        "string_voltage_off_sum",
        # One open block of 24 is 4 %; two meters of 1 % each may differ by 2 %.
        levels=(
            week(
                "string_sum",
                3.0,
                2.5,
                10 * MINUTE_S,
                source="EJ: beyond the errors of the meters",
                gate=Gate.STEADY_FLOAT,
            ),
        ),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.DATA_QUALITY,
        "float_current_off_a",
        Direction.ABOVE,
        "A",
        "float_current_off",
        # The sensor of the load current has an offset of up to 1 A and a gain error of 1.5 % [NOR].
        levels=(
            week(
                "float_current", 3.0, 2.5, 10 * MINUTE_S, source="EJ: beyond a sensor's offset", gate=Gate.STEADY_FLOAT
            ),
        ),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.DATA_QUALITY,
        "mode_contradicted",
        Direction.ABOVE,
        None,
        "mode_contradicted",
        levels=(week("mode", 0.5, 0.5, 60.0, source="EJ: the current says otherwise"),),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.DATA_QUALITY,
        "voltage_of_nominal_pct",
        Direction.BELOW,
        "%",
        "string_voltage_low",
        # No string in service is at half its nominal voltage: it is open, or what was sent is that of one battery.
        levels=(week("string_voltage", 50.0, 60.0, 0.0, source="EJ: below any cut-off"),),
        subject=SubjectKind.STRING,
    ),
)
_CURRENT: Final = (
    *ladder(
        AlertType.CURRENT_HIGH,
        "charge_current_a",
        Direction.ABOVE,
        "A",
        "charge_current_high",
        levels=(
            week("charge", 36.0, 33.0, 10 * MINUTE_S, source="0.3 C of 120 Ah, largest charge current [LEO]"),
            same_day("charge_critical", 60.0, 54.0, MINUTE_S, source="EJ: 0.5 C, charger fault"),
        ),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.CURRENT_HIGH,
        "float_current_ma_per_ah",
        Direction.ABOVE,
        "mA/Ah",
        "float_current_high",
        # New strings take 0.2 to 0.5 mA/Ah at 25 °C, aged ones up to three times that; 1 is the design value of
        # IEC 62485-2 on float and 8 on boost.
        levels=(
            week("float", 3.0, 2.5, HOUR_S, source="EJ: three times the design value", gate=Gate.STEADY_FLOAT),
            same_day(
                "float_critical",
                8.0,
                6.0,
                10 * MINUTE_S,
                source="EJ: as on boost; thermal runaway, or a cell is shorted",
                gate=Gate.STEADY_FLOAT,
            ),
        ),
        subject=SubjectKind.STRING,
    ),
    *ladder(
        AlertType.CURRENT_HIGH,
        "discharge_current_a",
        Direction.ABOVE,
        "A",
        "discharge_current_high",
        levels=(
            week("discharge", 300.0, 280.0, 10.0, source="5 min rate of 120 Ah to 1.80 V per cell [LEO]"),
            same_day("danger", 1000.0, 900.0, 0.0, source="EJ: short circuit"),
        ),
        subject=SubjectKind.STRING,
    ),
)
_RUNAWAY: Final = tuple(
    replace(rule, parts=("float_current_ratio", "over_room_c", "rise_c_per_h"))
    for rule in (
        # Scores in units of the limits, see `trends`. Its own current takes a string in runaway off float, so no gate.
        *ladder(
            AlertType.THERMAL_RUNAWAY,
            "runaway_score",
            Direction.ABOVE,
            None,
            "thermal_runaway",
            levels=(
                same_day(
                    "composite",
                    1.0,
                    0.8,
                    10 * MINUTE_S,
                    source="3 times the steady float current and 5 °C over the room [CPB], both rising; hold EJ",
                ),
            ),
            subject=SubjectKind.STRING,
        ),
        *ladder(
            AlertType.THERMAL_RUNAWAY,
            "runaway_heat_score",
            Direction.ABOVE,
            None,
            "thermal_runaway_heat",
            levels=(
                same_day("heat", 1.0, 0.8, 10 * MINUTE_S, source="10 °C over the room [CND], rising by 3 °C/h (EJ)"),
            ),
            subject=SubjectKind.STRING,
        ),
    )
)
_LOCATION: Final = (
    *ladder(
        AlertType.GRID_INSTABILITY,
        "mains_losses_24h",
        Direction.ABOVE,
        None,
        "grid_unstable",
        # Raised with the third loss of a day; the count falls by itself as the day moves on.
        levels=(
            replace(month("info", 2.5, 1.5, 0.0, source="EJ: three losses a day"), severity=Severity.INFO),
            week("warning", 5.5, 4.5, 0.0, source="EJ: six losses a day wear batteries and leave no time to recharge"),
        ),
        subject=SubjectKind.LOCATION,
    ),
    Rule(
        rule_id="mains_outage.info",
        type=AlertType.MAINS_OUTAGE,
        subject=SubjectKind.LOCATION,
        signal="mains_lost",
        direction=Direction.ABOVE,
        severity=Severity.INFO,
        respond_within=RespondWithin.MONTH,
        raise_value=0.5,
        clear_value=0.5,
        hold_s=0.0,
        clear_hold_s=MINUTE_S,
        unit=None,
        message_code="mains_lost",
        source="reported by the location; hold EJ",
    ),
    Rule(
        rule_id="mains_outage.long",
        type=AlertType.MAINS_OUTAGE,
        subject=SubjectKind.LOCATION,
        signal="mains_lost",
        direction=Direction.ABOVE,
        severity=Severity.WARNING,
        respond_within=RespondWithin.WEEK,
        raise_value=0.5,
        clear_value=0.5,
        hold_s=5 * MINUTE_S,
        clear_hold_s=MINUTE_S,
        unit=None,
        message_code="mains_lost_long",
        source="EJ: longer than a transfer to the generator",
    ),
    *ladder(
        AlertType.HVAC_FAILURE,
        "hvac_loss",
        Direction.ABOVE,
        None,
        "hvac_degraded",
        levels=(
            week("degraded", 0.5, 0.5, 30 * MINUTE_S, source="reported by the location; hold EJ"),
            same_day(
                "failed",
                1.5,
                1.5,
                5 * MINUTE_S,
                source="reported by the location; hold EJ",
                message_code="hvac_failed",
            ),
        ),
        subject=SubjectKind.LOCATION,
    ),
    *ladder(
        AlertType.HVAC_FAILURE,
        "room_c",
        Direction.ABOVE,
        "°C",
        "room_hot",
        levels=(
            week("room_hot", 30.0, 28.5, HOUR_S, source="EJ: rooms are kept at 22-25 °C"),
            same_day("room_critical", 35.0, 33.5, 15 * MINUTE_S, source="EJ"),
        ),
        subject=SubjectKind.LOCATION,
    ),
)


def _watch_rule(subject: SubjectKind, severity: Severity, respond_within: RespondWithin) -> Rule:
    return Rule(
        rule_id=f"{AlertType.DATA_STALE.value}.{subject.value}",
        type=AlertType.DATA_STALE,
        subject=subject,
        signal="silence_s",
        direction=Direction.ABOVE,
        severity=severity,
        respond_within=respond_within,
        raise_value=300.0,
        clear_value=300.0,
        hold_s=0.0,
        clear_hold_s=0.0,
        unit="s",
        message_code=f"data_stale_{subject.value}",
        source="larger of 5 min and 3 reporting intervals",
        adjustable=False,
    )


CLOCK_RULE: Final = Rule(
    rule_id="data_quality.clock",
    type=AlertType.DATA_QUALITY,
    subject=SubjectKind.LOCATION,
    signal="clock_lag_s",
    direction=Direction.ABOVE,
    severity=Severity.WARNING,
    respond_within=RespondWithin.WEEK,
    raise_value=120.0,
    clear_value=60.0,
    hold_s=120.0,
    clear_hold_s=0.0,
    unit="s",
    message_code="clock_behind",
    source="EJ: senders whose clocks are set by the network are off by seconds",
    adjustable=False,
)
"""The rule that compares when readings arrive with when they say they were measured."""


RULES: Final[tuple[Rule, ...]] = (
    *_VOLTAGE,
    *_TEMPERATURE,
    *_RESISTANCE,
    *_NO_BASELINE,
    *_SENSORS,
    *_CURRENT,
    *_RUNAWAY,
    *_LOCATION,
)
"""Rules that judge readings."""
WATCH_RULES: Final[tuple[Rule, ...]] = (
    _watch_rule(SubjectKind.BATTERY, Severity.WARNING, RespondWithin.WEEK),
    _watch_rule(SubjectKind.STRING, Severity.CRITICAL, RespondWithin.SAME_DAY),
    _watch_rule(SubjectKind.LOCATION, Severity.CRITICAL, RespondWithin.SAME_DAY),
)
"""Rules that judge missing readings, by the clock. A stale string is more than 10 % of its location's batteries."""
DEFAULT_LIMITS: Final = {rule.rule_id: rule.limits() for rule in RULES}
RULE_BY_ID: Final = {rule.rule_id: rule for rule in (*RULES, *WATCH_RULES, *PREDICTION_RULES, CLOCK_RULE)}
READING_RULES: Final = frozenset(rule.rule_id for rule in RULES)
"""Rules whose alerts a stored state of their subject follows from reading to reading."""
RULES_OF: Final = {kind: tuple(rule for rule in RULES if rule.subject is kind) for kind in SubjectKind}
