"""Errors of the fleet and its import."""

from battery_servicekit.problems import DomainError, NotFound


class LocationNotFound(NotFound):
    """No location has this id, or the caller may not see it."""

    code = "location_not_found"


class BatteryNotFound(NotFound):
    """No battery has this id, or the caller may not see it."""

    code = "battery_not_found"


class ImportRefused(DomainError):
    """The file is not a fleet catalogue."""

    code, status = "import_refused", 422
