"""Errors of incidents."""

from battery_servicekit.problems import Conflict, Invalid, NotFound


class IncidentNotFound(NotFound):
    """No incident has this number, or the caller may not see its location."""

    code = "incident_not_found"


class IncidentChanged(Conflict):
    """Somebody acted on the incident, or it got worse, since the revision that the request names; see ``state``."""

    code = "incident_changed"


class IncidentEnded(Conflict):
    """The incident has ended; see ``state``."""

    code = "incident_ended"


class AlreadyAcknowledged(Conflict):
    """The incident is acknowledged, and none of its alerts waits for anybody; see ``state``."""

    code = "incident_already_acknowledged"


class AssigneeUnknown(Invalid):
    """No active engineer or administrator with access to the location has this user name."""

    code = "assignee_unknown"


class SnoozeInvalid(Invalid):
    """A snooze must end, within a week, and not in the past."""

    code = "snooze_invalid"


class SpanInvalid(Invalid):
    """The figures cover at least ten minutes and at most a year, and end after they begin."""

    code = "span_invalid"


class KeyReused(Invalid):
    """The ``Idempotency-Key`` was used for another request."""

    code = "idempotency_key_reused"
