"""What can go wrong with the twin's record and its what-if questions."""

from battery_servicekit.problems import Conflict, Invalid, NotFound, Unavailable


class StringNotFound(NotFound):
    """No string has this id, or the caller may not see it."""

    code = "string_not_found"


class LoadInvalid(Invalid):
    """The load of a runtime question is missing, doubled or no discharge."""

    code = "load_invalid"


class SimulationRefused(Invalid):
    """The digital twin cannot simulate what was asked."""

    code = "simulation_refused"


class RuntimeUnknown(Conflict):
    """Too few blocks of the string have a present estimate; a runtime would be a guess."""

    code = "runtime_unknown"


class TwinUnavailable(Unavailable):
    """The digital twin does not answer; try later."""

    code = "twin_unavailable"
