"""Rule state of a subject: what must survive a restart, in memory and as the JSON that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_contracts.enums import AlertType


class RuleCondition(StrEnum):
    """RuleCondition of a rule at one reading; time counts between two readings of the same condition."""

    BREACH = "breach"
    BAND = "band"
    """Between the clear and the raise value: neither breached nor cleared."""
    CLEARED = "calm"
    GATED = "asleep"
    """The gate of the rule is closed."""


@dataclass(frozen=True, slots=True)
class RuleRun:
    """One rule that is pending or firing; a rule that is neither has no run.

    Parameters
    ----------
    since_us, at_us
        Event time of the first breach of this run and of the newest reading.
    held_us
        Observed time in breach while pending.
    cleared_for_us
        Observed time beyond the clear value: all of it while pending, the latest stretch while firing.
    peak
        Worst value of the run.
    """

    since_us: int
    at_us: int
    held_us: int
    cleared_for_us: int
    firing: bool
    last: RuleCondition
    peak: float


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """The open alert of a type: which rule gave it its severity, and its row once it is written."""

    rule_id: str
    raised_us: int
    peak: float
    alert_id: int | None = None
    episodes: int = 1
    """How often the condition has come back; from the second time on the alert is unstable."""
    resolved_us: int | None = None
    """When a person resolved it; the condition lasts all the same, or else the alert would no longer be open."""


@dataclass(frozen=True, slots=True)
class ClosedAlert:
    """The last alert of a type while a new episode would still be the same trouble."""

    alert: OpenAlert
    cleared_us: int


@dataclass(frozen=True, slots=True)
class TypeState:
    """Runs of the rules of one type, the alert they hold open, and the one before it for a while."""

    runs: Mapping[str, RuleRun]
    alert: OpenAlert | None = None
    closed: ClosedAlert | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is pending, firing, open or remembered."""
        return not self.runs and self.alert is None and self.closed is None

    @property
    def unlinked_raised_us(self) -> int | None:
        """When the alert that it remembers was raised, if the number of its row is not known; else None."""
        alert = self.alert or (None if self.closed is None else self.closed.alert)
        return alert.raised_us if alert is not None and alert.alert_id is None else None

    def linked(self, alert_id: int | None) -> "TypeState":
        """Return the state with the number of its alert's row."""
        if self.alert is not None:
            return replace(self, alert=replace(self.alert, alert_id=alert_id))
        if self.closed is not None:
            return replace(self, closed=replace(self.closed, alert=replace(self.closed.alert, alert_id=alert_id)))
        return self

    def with_resolution(self, at_us: int) -> "TypeState":
        """Return the state after a person resolved its open alert; its condition is followed on."""
        return self if self.alert is None else replace(self, alert=replace(self.alert, resolved_us=at_us))


EMPTY = TypeState({})


class BadRuleState(ValueError):
    """The stored state does not have the form that this version writes."""


def type_states_from_json(stored: Mapping[str, Any] | None) -> dict[AlertType, TypeState]:
    """Read the stored state of a subject.

    Runs of rules that no longer exist are left out; an alert that they held open clears with the next reading.
    """
    if not stored:
        return {}
    try:
        return {AlertType(name): _type_state(value) for name, value in stored.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRuleState(f"{type(error).__name__}: {error}") from error


def type_states_to_json(states: Mapping[AlertType, TypeState]) -> dict[str, Any] | None:
    """Return the form that is stored; None when nothing is pending or open, so that a healthy battery costs nothing."""
    stored = {kind.value: _as_json(state) for kind, state in states.items() if not state.is_empty}
    return stored or None


def with_resolved(
    stored: Mapping[str, Any] | None, alert_type: AlertType, alert_id: int, resolved_us: int
) -> dict[str, Any] | None:
    """Return a stored state that knows that a person resolved an open alert; None if it holds no such alert."""
    states = type_states_from_json(stored)
    state = states.get(alert_type)
    if state is None or state.alert is None or state.alert.alert_id != alert_id:
        return None
    states[alert_type] = state.with_resolution(resolved_us)
    return type_states_to_json(states)


def without_closed(stored: Mapping[str, Any] | None, alert_type: AlertType, alert_id: int) -> dict[str, Any] | None:
    """Return a stored state that no longer remembers an alert which has cleared."""
    states = type_states_from_json(stored)
    state = states.get(alert_type)
    if state is not None and state.closed is not None and state.closed.alert.alert_id == alert_id:
        states[alert_type] = replace(state, closed=None)
    return type_states_to_json(states)


def _type_state(value: Mapping[str, Any]) -> TypeState:
    alert, closed = value.get("alert"), value.get("closed")
    return TypeState(
        runs={
            rule_id: RuleRun(
                since_us=int(run["since_us"]),
                at_us=int(run["at_us"]),
                held_us=int(run["held_us"]),
                cleared_for_us=int(run["calm_us"]),
                firing=bool(run["firing"]),
                last=RuleCondition(run["last"]),
                peak=float(run["peak"]),
            )
            for rule_id, run in value["runs"].items()
            if rule_id in RULE_BY_ID
        },
        alert=None if alert is None else _alert(alert),
        closed=None if closed is None else ClosedAlert(_alert(closed), int(closed["cleared_us"])),
    )


def _alert(stored: Mapping[str, Any]) -> OpenAlert:
    return OpenAlert(
        rule_id=str(stored["rule_id"]),
        raised_us=int(stored["raised_us"]),
        peak=float(stored["peak"]),
        alert_id=None if stored["alert_id"] is None else int(stored["alert_id"]),
        episodes=int(stored.get("episodes", 1)),
        resolved_us=None if stored.get("resolved_us") is None else int(stored["resolved_us"]),
    )


def _as_json(state: TypeState) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "runs": {
            rule_id: {
                "since_us": run.since_us,
                "at_us": run.at_us,
                "held_us": run.held_us,
                "calm_us": run.cleared_for_us,
                "firing": run.firing,
                "last": run.last.value,
                "peak": run.peak,
            }
            for rule_id, run in state.runs.items()
        }
    }
    if state.alert is not None:
        stored["alert"] = _alert_json(state.alert)
    if state.closed is not None:
        stored["closed"] = _alert_json(state.closed.alert) | {"cleared_us": state.closed.cleared_us}
    return stored


def _alert_json(alert: OpenAlert) -> dict[str, Any]:
    return {
        "rule_id": alert.rule_id,
        "raised_us": alert.raised_us,
        "peak": alert.peak,
        "alert_id": alert.alert_id,
        "episodes": alert.episodes,
    } | ({} if alert.resolved_us is None else {"resolved_us": alert.resolved_us})
