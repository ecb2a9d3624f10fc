"""The table of rules: what raises an alert, when it clears, how soon somebody must respond.

Rules of one type at one subject share one alert, whose severity is the highest reached. Sources in brackets are
resolved in docs/sources.md; a value without one is engineering judgement (EJ) and meant to be overridden.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from battery_contracts.enums import AlertType, RespondWithin, Severity

SECOND_US: Final = 1_000_000
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0


class SubjectKind(StrEnum):
    """Kind of subject that a rule judges."""

    BATTERY = "battery"
    STRING = "string"
    LOCATION = "location"


class Direction(StrEnum):
    """Which side of the raise value is the bad one."""

    ABOVE = "above"
    BELOW = "below"


class Gate(StrEnum):
    """When a rule applies: while its gate is open.

    A battery whose mode is unknown may be on float or charging: the gates of both stay open, because no alert would
    look like health.
    """

    ALWAYS = "always"
    FLOAT = "float"
    """On float and settled: not during a discharge, its recharge, and the 72 h after it."""
    CHARGING = "charging"
    """Any mode but a discharge."""
    DISCHARGE = "discharge"
    """Discharge or capacity test."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The values of a rule in force for one subject; times are microseconds of event time."""

    raise_value: float
    clear_value: float
    hold_us: int
    clear_hold_us: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition with its limits, severity and gate.

    Parameters
    ----------
    signal
        Name of the signal it judges, see `signals`.
    clear_value
        The condition ends only beyond this value, so noise around ``raise_value`` neither raises nor clears.
    hold_s, clear_hold_s
        How long the condition must last before it fires, and be over before it clears; observed time only.
    max_gap_s
        Longest pause between two readings that still counts as observed, where the channel is measured less often
        than the battery reports; None: the larger of 5 min and 3 reporting intervals.
    after_commissioning
        Off during the first 90 days, while the values of a new battery settle.
    ends_with_mode
        The condition ends when its gate closes; otherwise a closed gate freezes it.
    adjustable
        Overrides may change it.
    """

    rule_id: str
    type: AlertType
    subject: SubjectKind
    signal: str
    direction: Direction
    severity: Severity
    respond_within: RespondWithin
    raise_value: float
    clear_value: float
    hold_s: float
    clear_hold_s: float
    unit: str | None
    message_code: str
    source: str
    gate: Gate = Gate.ALWAYS
    max_gap_s: float | None = None
    after_commissioning: bool = False
    ends_with_mode: bool = False
    adjustable: bool = True

    @property
    def urgency(self) -> tuple[int, int]:
        """Order of rules of one type: severity first, then the time to respond."""
        return self.severity.rank, _RESPOND_RANK[self.respond_within]

    def limits(self) -> Limits:
        """Return the default values in the engine's units."""
        return Limits(
            self.raise_value,
            self.clear_value,
            round(self.hold_s * SECOND_US),
            round(self.clear_hold_s * SECOND_US),
        )


_RESPOND_RANK: Final = {RespondWithin.MONTH: 0, RespondWithin.WEEK: 1, RespondWithin.SAME_DAY: 2}


@dataclass(frozen=True, slots=True)
class _Level:
    """One step of a severity ladder."""

    name: str
    raise_value: float
    clear_value: float
    hold_s: float
    clear_hold_s: float
    severity: Severity
    respond_within: RespondWithin
    source: str
    gate: Gate = Gate.ALWAYS
    message_code: str | None = None


def _month(
    name: str, raise_value: float, clear_value: float, hold_s: float, *, source: str, gate: Gate = Gate.ALWAYS
) -> _Level:
    clear_hold_s = min(_HOUR_S, hold_s)
    return _Level(
        name, raise_value, clear_value, hold_s, clear_hold_s, Severity.WARNING, RespondWithin.MONTH, source, gate
    )


def _week(
    name: str, raise_value: float, clear_value: float, hold_s: float, *, source: str, gate: Gate = Gate.ALWAYS
) -> _Level:
    clear_hold_s = min(10 * _MINUTE_S, hold_s)
    return _Level(
        name, raise_value, clear_value, hold_s, clear_hold_s, Severity.WARNING, RespondWithin.WEEK, source, gate
    )


def _same_day(
    name: str,
    raise_value: float,
    clear_value: float,
    hold_s: float,
    *,
    source: str,
    gate: Gate = Gate.ALWAYS,
    message_code: str | None = None,
) -> _Level:
    return _Level(
        name,
        raise_value,
        clear_value,
        hold_s,
        # A condition that fires at once clears after a minute without it, the others after ten at most.
        min(10 * _MINUTE_S, hold_s) if hold_s else _MINUTE_S,
        Severity.CRITICAL,
        RespondWithin.SAME_DAY,
        source,
        gate,
        message_code,
    )


def _ladder(
    alert_type: AlertType,
    signal: str,
    direction: Direction,
    unit: str | None,
    message_code: str,
    *,
    levels: Sequence[_Level],
    subject: SubjectKind = SubjectKind.BATTERY,
    max_gap_s: float | None = None,
    settling_levels: frozenset[str] = frozenset(),
) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            rule_id=f"{alert_type.value}.{level.name}",
            type=alert_type,
            subject=subject,
            signal=signal,
            direction=direction,
            severity=level.severity,
            respond_within=level.respond_within,
            raise_value=level.raise_value,
            clear_value=level.clear_value,
            hold_s=level.hold_s,
            clear_hold_s=level.clear_hold_s,
            unit=unit,
            message_code=level.message_code or message_code,
            source=level.source,
            gate=level.gate,
            max_gap_s=max_gap_s,
            after_commissioning=level.name in settling_levels,
            ends_with_mode=level.gate is Gate.DISCHARGE,
        )
        for level in levels
    )


_VOLTAGE: Final = (
    *_ladder(
        AlertType.VOLTAGE_LOW,
        "voltage_v",
        Direction.BELOW,
        "V",
        "voltage_low",
        levels=(
            _week("float", 13.0, 13.2, 30 * _MINUTE_S, source="EJ: 0.5 V below the float band", gate=Gate.FLOAT),
            _same_day(
                "float_critical",
                12.6,
                12.9,
                10 * _MINUTE_S,
                source="EJ: below rest voltage, not charged",
                gate=Gate.FLOAT,
            ),
            _week(
                "not_charged", 12.9, 13.1, 6 * _HOUR_S, source="EJ: a recharge that does not rise", gate=Gate.CHARGING
            ),
            # Ten seconds of a discharge that reports every 2 s; slower feeds need two readings.
            _week("discharge", 10.5, 10.8, 10.0, source="1.75 V per cell at cut-off", gate=Gate.DISCHARGE),
            _same_day(
                "discharge_critical",
                10.0,
                10.3,
                10.0,
                source="1.67 V per cell, a cell reverses next",
                gate=Gate.DISCHARGE,
            ),
            _same_day(
                "danger",
                2.0,
                6.0,
                0.0,
                source="EJ: open, shorted or reversed block, or its lead",
                message_code="voltage_lost",
            ),
        ),
    ),
    *_ladder(
        AlertType.VOLTAGE_LOW,
        "voltage_vs_string_v",
        Direction.BELOW,
        "V",
        "shorted_cell",
        levels=(
            _same_day("shorted_cell", -1.5, -1.0, 10 * _MINUTE_S, source="one shorted cell of six", gate=Gate.FLOAT),
        ),
    ),
    *_ladder(
        AlertType.VOLTAGE_HIGH,
        "voltage_v",
        Direction.ABOVE,
        "V",
        "voltage_high",
        levels=(
            _week("float", 14.1, 14.0, 30 * _MINUTE_S, source="EJ: above compensated float at 10 °C", gate=Gate.FLOAT),
            _same_day(
                "charge", 15.0, 14.8, 10 * _MINUTE_S, source="upper end of boost voltages [LEO]", gate=Gate.CHARGING
            ),
            _same_day("danger", 16.0, 15.0, 0.0, source="EJ: beyond any charge voltage"),
        ),
    ),
    *_ladder(
        AlertType.STRING_IMBALANCE,
        "voltage_spread_v",
        Direction.ABOVE,
        "V",
        "voltage_spread",
        levels=(
            _month("float", 0.27, 0.22, 24 * _HOUR_S, source="2 % of float voltage [MAX]", gate=Gate.FLOAT),
            _week("float_high", 0.50, 0.40, _HOUR_S, source="0.5 V per block [ALP]; hold EJ", gate=Gate.FLOAT),
        ),
        # New batteries spread up to 2 % during their first months [MAX].
        settling_levels=frozenset({"float"}),
    ),
    *_ladder(
        AlertType.STRING_IMBALANCE,
        "voltage_vs_string_v",
        Direction.BELOW,
        "V",
        "discharge_weak_block",
        levels=(
            _week(
                "discharge",
                -0.8,
                -0.6,
                10.0,
                source="EJ: battery falls behind its string on discharge",
                gate=Gate.DISCHARGE,
            ),
            _same_day("discharge_critical", -2.0, -1.6, 10.0, source="EJ: a cell reverses", gate=Gate.DISCHARGE),
        ),
    ),
)
_TEMPERATURE: Final = (
    *_ladder(
        AlertType.TEMPERATURE_HIGH,
        "temperature_c",
        Direction.ABOVE,
        "°C",
        "temperature_high",
        levels=(
            _month("warning", 30.0, 29.0, 24 * _HOUR_S, source="EJ: life shortens"),
            _week("high", 35.0, 34.0, 4 * _HOUR_S, source="EJ"),
            _same_day("critical", 40.0, 39.0, _HOUR_S, source="EJ"),
            _same_day("stop_charge", 50.0, 48.0, 5 * _MINUTE_S, source="stop charging [CND]; hold EJ"),
            _same_day(
                "danger", 60.0, 55.0, 0.0, source="EJ: thermal runaway or fire", message_code="temperature_danger"
            ),
        ),
    ),
    *_ladder(
        AlertType.TEMPERATURE_DEVIATION,
        "temperature_over_room_c",
        Direction.ABOVE,
        "°C",
        "temperature_over_room",
        levels=(
            _month(
                "room_warning", 3.0, 2.5, 24 * _HOUR_S, source="3 °C over the room [CELL]; hold EJ", gate=Gate.FLOAT
            ),
            _week("room_high", 5.0, 4.5, 4 * _HOUR_S, source="5 °C over the room [CPB]; hold EJ", gate=Gate.FLOAT),
            _same_day("room_critical", 10.0, 9.0, 10 * _MINUTE_S, source="10 °C over the room: open the breaker [CND]"),
        ),
    ),
    *_ladder(
        AlertType.TEMPERATURE_DEVIATION,
        "temperature_over_string_c",
        Direction.ABOVE,
        "°C",
        "temperature_over_string",
        # 4 and 6 °C apply against the battery's own usual offset; until that is learned, 2 °C are added for the warm
        # top tier of a rack.
        levels=(
            _week("string_high", 6.0, 5.5, 4 * _HOUR_S, source="EJ: 4 °C plus 2 °C for the warm tier", gate=Gate.FLOAT),
            _same_day(
                "string_critical", 8.0, 7.5, _HOUR_S, source="EJ: 6 °C plus 2 °C for the warm tier", gate=Gate.FLOAT
            ),
        ),
    ),
)
# Resistance is measured daily, so a hold of twelve hours means: confirmed by the next measurement. A single value may
# come from a loose sense lead; 50 % is too much to wait for.
_RESISTANCE: Final = _ladder(
    AlertType.RESISTANCE_DRIFT,
    "resistance_drift_pct",
    Direction.ABOVE,
    "%",
    "resistance_drift",
    levels=(
        _month(
            "warning",
            20.0,
            17.0,
            12 * _HOUR_S,
            source="act at 20 % above the battery's own baseline [FLK]",
            gate=Gate.FLOAT,
        ),
        _week("high", 30.0, 27.0, 12 * _HOUR_S, source="30 % [FRK]", gate=Gate.FLOAT),
        _same_day("critical", 50.0, 45.0, 0.0, source="50 % [ELO]", gate=Gate.FLOAT),
    ),
    max_gap_s=8 * _DAY_S,
    # Resistance falls by up to 15 % in the first months: the baseline itself has not settled yet [FRK2].
    settling_levels=frozenset({"warning"}),
)
# What a channel no longer says must not pass for health. An hour is longer than any monitor's rhythm of voltages and
# temperatures that watches a battery at all.
# Without a baseline of its own a battery is judged by the nameplate, with room for the spread of meters and blocks.
_NO_BASELINE: Final = _ladder(
    AlertType.RESISTANCE_DRIFT,
    "resistance_over_nominal_pct",
    Direction.ABOVE,
    "%",
    "resistance_over_nominal",
    levels=(_week("nominal", 60.0, 50.0, 0.0, source="EJ: beyond the spread of models and meters", gate=Gate.FLOAT),),
    max_gap_s=8 * _DAY_S,
)
_SENSORS: Final = (
    *(
        rule
        for channel in ("voltage", "temperature")
        for rule in _ladder(
            AlertType.SENSOR_FAULT,
            f"{channel}_age_s",
            Direction.ABOVE,
            "s",
            f"{channel}_channel_lost",
            levels=(
                _week(f"{channel}_lost", _HOUR_S, 0.5 * _HOUR_S, 0.0, source="EJ: other channels go on reporting"),
            ),
        )
    ),
    *_ladder(
        AlertType.SENSOR_FAULT,
        "voltage_vs_string_v",
        Direction.ABOVE,
        "V",
        "voltage_does_not_follow",
        # Under load a healthy block stays within tenths of a volt of its string; one far above it is not measured.
        levels=(
            _week(
                "stuck_on_discharge",
                0.8,
                0.5,
                60.0,
                source="EJ: the voltage does not fall with its string",
                gate=Gate.DISCHARGE,
            ),
        ),
    ),
    *_ladder(
        AlertType.DATA_QUALITY,
        "mode_contradicted",
        Direction.ABOVE,
        None,
        "mode_contradicted",
        levels=(_week("mode", 0.5, 0.5, 60.0, source="EJ: the current says otherwise"),),
        subject=SubjectKind.STRING,
    ),
    *_ladder(
        AlertType.DATA_QUALITY,
        "voltage_of_nominal_pct",
        Direction.BELOW,
        "%",
        "string_voltage_low",
        # No string in service is at half its nominal voltage: it is open, or what was sent is that of one battery.
        levels=(_week("string_voltage", 50.0, 60.0, 0.0, source="EJ: below any cut-off"),),
        subject=SubjectKind.STRING,
    ),
)
_CURRENT: Final = (
    *_ladder(
        AlertType.CURRENT_HIGH,
        "charge_current_a",
        Direction.ABOVE,
        "A",
        "charge_current_high",
        levels=(
            _week("charge", 36.0, 33.0, 10 * _MINUTE_S, source="0.3 C of 120 Ah, largest charge current [LEO]"),
            _same_day("charge_critical", 60.0, 54.0, _MINUTE_S, source="EJ: 0.5 C, charger fault"),
        ),
        subject=SubjectKind.STRING,
    ),
    *_ladder(
        AlertType.CURRENT_HIGH,
        "discharge_current_a",
        Direction.ABOVE,
        "A",
        "discharge_current_high",
        levels=(
            _week("discharge", 300.0, 280.0, 10.0, source="5 min rate of 120 Ah to 1.80 V per cell [LEO]"),
            _same_day("danger", 1000.0, 900.0, 0.0, source="EJ: short circuit"),
        ),
        subject=SubjectKind.STRING,
    ),
)
_LOCATION: Final = (
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
        clear_hold_s=_MINUTE_S,
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
        hold_s=5 * _MINUTE_S,
        clear_hold_s=_MINUTE_S,
        unit=None,
        message_code="mains_lost_long",
        source="EJ: longer than a transfer to the generator",
    ),
    *_ladder(
        AlertType.HVAC_FAILURE,
        "hvac_loss",
        Direction.ABOVE,
        None,
        "hvac_degraded",
        levels=(
            _week("degraded", 0.5, 0.5, 30 * _MINUTE_S, source="reported by the location; hold EJ"),
            _same_day(
                "failed",
                1.5,
                1.5,
                5 * _MINUTE_S,
                source="reported by the location; hold EJ",
                message_code="hvac_failed",
            ),
        ),
        subject=SubjectKind.LOCATION,
    ),
    *_ladder(
        AlertType.HVAC_FAILURE,
        "room_c",
        Direction.ABOVE,
        "°C",
        "room_hot",
        levels=(
            _week("room_hot", 30.0, 28.5, _HOUR_S, source="EJ: rooms are kept at 22-25 °C"),
            _same_day("room_critical", 35.0, 33.5, 15 * _MINUTE_S, source="EJ"),
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
RULE_BY_ID: Final = {rule.rule_id: rule for rule in (*RULES, *WATCH_RULES, CLOCK_RULE)}
RULES_OF: Final = {kind: tuple(rule for rule in RULES if rule.subject is kind) for kind in SubjectKind}
