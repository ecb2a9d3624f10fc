"""Errors of the fleet and its import."""

from battery_servicekit.problems import DomainError, Invalid, NotFound


class LocationNotFound(NotFound):
    """No location has this id, or the caller may not see it."""

    code = "location_not_found"


class BatteryNotFound(NotFound):
    """No battery has this id, or the caller may not see it."""

    code = "battery_not_found"


class StringNotFound(NotFound):
    """No string has this id, or the caller may not see it."""

    code = "string_not_found"


class SystemNotFound(NotFound):
    """No battery system has this id, or the caller may not see it."""

    code = "system_not_found"


class RetirementInvalid(Invalid):
    """The instant of a retirement is in the future or before an installation, or nothing is there to retire."""

    code = "retirement_invalid"


class ImportRefused(DomainError):
    """The file is not a fleet catalogue."""

    code, status = "import_refused", 422
