"""Errors of silences, maintenance windows and tags."""

from battery_api.accounts.principal import Forbidden
from battery_servicekit.problems import Conflict, Invalid, NotFound


class SilenceNotFound(NotFound):
    """No silence has this number, or the caller may not see anything that it covers."""

    code = "silence_not_found"


class SilenceInvalid(Invalid):
    """Its span is not one that a silence may have; ``errors`` names the field."""

    code = "silence_invalid"


class SilenceTooWide(Invalid):
    """Life-safety alerts of a whole location or tag are never silenced all at once; name the types."""

    code = "silence_too_wide"


class SilenceEnded(Conflict):
    """The silence has ended; see ``state``."""

    code = "silence_ended"


class NothingToApprove(Conflict):
    """The silence does not ask for life-safety alerts, or somebody has approved it; see ``state``."""

    code = "nothing_to_approve"


class SelfApproval(Forbidden):
    """Life-safety alerts are silenced by two people; somebody else has to approve it."""

    code = "self_approval"


class WindowNotFound(NotFound):
    """No maintenance window has this number, or the caller may not see anything that it covers."""

    code = "window_not_found"


class WindowEnded(Conflict):
    """The maintenance window has ended; see ``state``."""

    code = "window_ended"
