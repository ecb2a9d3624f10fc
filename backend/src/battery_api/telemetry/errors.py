"""What a caller of the telemetry endpoints can get wrong, and what can be away."""

from battery_servicekit.problems import DomainError, Invalid, Unavailable


class BatchTooLarge(DomainError):
    """The body, or what it inflates to, is larger than one batch may be."""

    code, status = "batch_too_large", 413


class TooManyReadings(DomainError):
    """The batch holds more readings than one batch may."""

    code, status = "too_many_readings", 413


class UnsupportedEncoding(DomainError):
    """The body is packed in a way that is not read here."""

    code, status = "unsupported_encoding", 415


class MalformedBatch(Invalid):
    """The body is not a batch of readings; the detail names the place."""

    code = "malformed_batch"


class InvalidSpan(Invalid):
    """The start and end of a query do not make a span."""

    code = "invalid_span"


class InvalidSelection(Invalid):
    """The query names no battery, string or location, or several kinds at once."""

    code = "invalid_selection"


class ResolutionTooFine(Invalid):
    """The wanted resolution would give more points than allowed; the detail names one that fits."""

    code = "resolution_too_fine"


class DatabaseUnavailable(Unavailable):
    """The database does not answer; nothing of the request was stored, so sending it again is safe."""

    code = "database_unavailable"

    def __init__(self, detail: str = "The database does not answer; send the request again shortly.") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})
