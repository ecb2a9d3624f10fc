"""Errors of alerts and rules."""

from battery_api.accounts.principal import Forbidden
from battery_servicekit.problems import Conflict, Invalid, NotFound


class AlertNotFound(NotFound):
    """No alert has this id, or the caller may not see its location."""

    code = "alert_not_found"


class AlertAlreadyAcknowledged(Conflict):
    """The alert is already acknowledged."""

    code = "alert_already_acknowledged"


class AlertAlreadyResolved(Conflict):
    """The alert is already resolved."""

    code = "alert_already_resolved"


class RuleNotFound(NotFound):
    """No rule has this id."""

    code = "rule_not_found"


class OverrideNotFound(NotFound):
    """The rule has no such override, or the caller may not see its scope."""

    code = "override_not_found"


class ScopeNotFound(NotFound):
    """Nothing has the id that the override names, or the caller may not see it."""

    code = "scope_not_found"


class BelowFloor(Forbidden):
    """Only an administrator may weaken a life-safety rule beyond its floor."""

    code = "below_floor"


class OverrideInvalid(Invalid):
    """The values of an override contradict each other or the rule."""

    code = "override_invalid"
