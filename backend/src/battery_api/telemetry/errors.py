"""Errors of the telemetry endpoints."""

from battery_servicekit.problems import DomainError, Invalid


class BatchTooLarge(DomainError):
    """The body, or what it inflates to, is larger than one batch may be."""

    code, status = "batch_too_large", 413


class TooManyReadings(DomainError):
    """The batch holds more readings than one batch may."""

    code, status = "too_many_readings", 413


class UnsupportedEncoding(DomainError):
    """The body has a content encoding that is not supported."""

    code, status = "unsupported_encoding", 415


class MalformedBatch(Invalid):
    """The body is not a batch of readings; the detail says where it fails."""

    code = "malformed_batch"


class InvalidSpan(Invalid):
    """The start and end of a query do not form a span."""

    code = "invalid_span"


class InvalidSelection(Invalid):
    """The query names no battery, string or location, or several kinds at once."""

    code = "invalid_selection"


class ResolutionTooFine(Invalid):
    """The requested resolution gives more points than allowed; the detail names one that fits."""

    code = "resolution_too_fine"
