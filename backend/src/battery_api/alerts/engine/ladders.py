"""What a rule is, and the ladders of severity from which the table of rules is built."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from battery_contracts.enums import AlertType, RespondWithin, Severity

SECOND_US: Final = 1_000_000
MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0


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
    STEADY_FLOAT = "steady_float"
    """As `FLOAT`, and no ohmic test disturbs voltages and float current."""
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
    parts
        Signals that its message names beside its own.
    has_hold
        It waits before it raises and clears; otherwise overrides cannot set a hold.
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
    has_hold: bool = True
    parts: tuple[str, ...] = ()

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
class Level:
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


def month(
    name: str, raise_value: float, clear_value: float, hold_s: float, *, source: str, gate: Gate = Gate.ALWAYS
) -> Level:
    """Return a level to be dealt with within a month."""
    clear_hold_s = min(HOUR_S, hold_s)
    return Level(
        name, raise_value, clear_value, hold_s, clear_hold_s, Severity.WARNING, RespondWithin.MONTH, source, gate
    )


def week(
    name: str, raise_value: float, clear_value: float, hold_s: float, *, source: str, gate: Gate = Gate.ALWAYS
) -> Level:
    """Return a level to be dealt with within a week."""
    clear_hold_s = min(10 * MINUTE_S, hold_s)
    return Level(
        name, raise_value, clear_value, hold_s, clear_hold_s, Severity.WARNING, RespondWithin.WEEK, source, gate
    )


def same_day(
    name: str,
    raise_value: float,
    clear_value: float,
    hold_s: float,
    *,
    source: str,
    gate: Gate = Gate.ALWAYS,
    message_code: str | None = None,
) -> Level:
    """Return a level to be dealt with on the same day."""
    return Level(
        name,
        raise_value,
        clear_value,
        hold_s,
        # A condition that fires at once clears after a minute without it, the others after ten at most.
        min(10 * MINUTE_S, hold_s) if hold_s else MINUTE_S,
        Severity.CRITICAL,
        RespondWithin.SAME_DAY,
        source,
        gate,
        message_code,
    )


def ladder(
    alert_type: AlertType,
    signal: str,
    direction: Direction,
    unit: str | None,
    message_code: str,
    *,
    levels: Sequence[Level],
    subject: SubjectKind = SubjectKind.BATTERY,
    max_gap_s: float | None = None,
    settling_levels: frozenset[str] = frozenset(),
) -> tuple[Rule, ...]:
    """Return the rules of one signal, one for each level."""
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
