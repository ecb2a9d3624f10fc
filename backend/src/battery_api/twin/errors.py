"""Errors of the twin's record and of its simulations."""

from battery_servicekit.problems import Conflict, Invalid, Unavailable


class LoadInvalid(Invalid):
    """The load of a runtime request is missing, given twice, or not a discharge."""

    code = "load_invalid"


class SimulationRefused(Invalid):
    """The digital twin cannot simulate the request."""

    code = "simulation_refused"


class RuntimeUnknown(Conflict):
    """Too few batteries of the string have a present estimate; a runtime would be a guess."""

    code = "runtime_unknown"


class TwinUnavailable(Unavailable):
    """The digital twin does not answer; try later."""

    code = "twin_unavailable"
    sends = ("Retry-After",)
