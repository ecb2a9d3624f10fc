"""Which values an override may have, and who may weaken a rule on which lives depend."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from battery_api.accounts.principal import Principal
from battery_api.alerts.engine.floors import BOUNDS_OF, floor_of, is_beyond
from battery_api.alerts.engine.ladders import Direction, Rule
from battery_api.alerts.errors import BelowFloor, OverrideInvalid
from battery_api.alerts.limits import band_of, is_band_valid
from battery_api.alerts.override_repository import OVERRIDE_VALUES
from battery_api.alerts.schemas import OverrideIn
from battery_contracts.enums import Role

LONGEST_BELOW_FLOOR: Final = timedelta(days=30)
"""How long a life-safety rule may stay weakened; then the override ends by itself."""


def check_override(rule: Rule, override: OverrideIn, principal: Principal, now: datetime) -> None:
    """Raise unless the values are sensible and this caller may set them.

    Raises
    ------
    OverrideInvalid
        The values contradict each other, the rule or physics, or an expiry or a reason is missing.
    BelowFloor
        The override weakens a life-safety rule beyond its floor, and the caller is no administrator.
    """
    if not rule.adjustable:
        raise OverrideInvalid(f"Rule {rule.rule_id} is not adjustable.")
    if all(getattr(override, name) is None for name in OVERRIDE_VALUES):
        raise OverrideInvalid(f"Give at least one of {', '.join(OVERRIDE_VALUES)}; DELETE removes an override.")
    if not rule.has_hold and (override.hold_s is not None or override.clear_hold_s is not None):
        raise OverrideInvalid(f"Rule {rule.rule_id} has no hold: leave out hold_s and clear_hold_s.")
    if override.expires_at is not None and override.expires_at <= now:
        raise OverrideInvalid("expires_at: must be in the future; DELETE ends an override now.")
    _check_bounds(rule, override)
    raise_value, clear_value = band_of(rule, override.raise_value, override.clear_value)
    if not is_band_valid(rule, raise_value, clear_value):
        side = "at or below" if rule.direction is Direction.ABOVE else "at or above"
        raise OverrideInvalid(f"clear_value {clear_value} must be {side} raise_value {raise_value}.")
    weakened = "; ".join(_weakenings(rule, override))
    if weakened:
        _require_accountable(rule, override, weakened, principal, now)


def _check_bounds(rule: Rule, override: OverrideIn) -> None:
    bounds, unit = BOUNDS_OF[rule.signal], f" {rule.unit}" if rule.unit else ""
    completed = band_of(rule, override.raise_value, override.clear_value)
    for name, value in zip(("raise_value", "clear_value"), completed, strict=True):
        if not bounds.low <= value <= bounds.high:
            raise OverrideInvalid(
                f"{name}: {value:g} is beyond what {rule.signal} can be; use {bounds.low:g} to {bounds.high:g}{unit}."
            )


def _weakenings(rule: Rule, override: OverrideIn) -> Iterator[str]:
    """Yield what an override does to a life-safety rule beyond its floor; nothing for another rule."""
    floor = floor_of(rule)
    if floor is None:
        return
    if override.enabled is False:
        yield "enabled: false switches it off"
    raise_value, _ = band_of(rule, override.raise_value, override.clear_value)
    if is_beyond(rule, raise_value, floor):
        yield f"raise_value: {raise_value:g} is beyond {floor.raise_value:g}{f' {rule.unit}' if rule.unit else ''}"
    if override.hold_s is not None and override.hold_s > floor.hold_s:
        yield f"hold_s: {override.hold_s:g} is longer than {floor.hold_s:g} s"


def _require_accountable(rule: Rule, override: OverrideIn, weakened: str, principal: Principal, now: datetime) -> None:
    days = LONGEST_BELOW_FLOOR.days
    if principal.role is not Role.ADMIN:
        raise BelowFloor(
            f"{rule.rule_id} protects lives ({weakened}); only an administrator may do that, with a reason and an "
            f"expiry of at most {days} days."
        )
    if override.reason is None:
        raise OverrideInvalid(f"reason: {rule.rule_id} protects lives ({weakened}); say why.")
    if override.expires_at is None or override.expires_at > now + LONGEST_BELOW_FLOOR:
        raise OverrideInvalid(
            f"expires_at: {rule.rule_id} protects lives ({weakened}); give an instant within {days} days, after which "
            "the override ends by itself."
        )
