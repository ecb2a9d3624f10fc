"""Errors of calls between services.

ServiceError
 +-- ServiceUnavailable    no connection, time-out, 5xx, or the circuit is open: try later
 +-- ServiceRefused        4xx: the call itself is wrong
 +-- InvalidServiceResponse       a response that breaks the contract
"""


class ServiceError(Exception):
    """A call to a dependency failed; ``retry_after_s`` is the delay that the service asked for, ``code`` its code."""

    def __init__(
        self, service: str, detail: str, *, retry_after_s: float | None = None, code: str | None = None
    ) -> None:
        super().__init__(f"{service}: {detail}")
        self.service = service
        self.detail = detail
        self.code = code
        self.retry_after_s = retry_after_s


class ServiceUnavailable(ServiceError):
    """The service did not answer in time, or answered that it cannot."""


class ServiceRefused(ServiceError):
    """The service refused the call; ``reason`` is the detail of its answer alone."""

    def __init__(
        self, service: str, status: int, code: str | None, detail: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(service, f"{status} {code or ''} {detail}".strip(), retry_after_s=retry_after_s, code=code)
        self.status = status
        self.reason = detail


class InvalidServiceResponse(ServiceError):
    """The response does not follow the contract."""
