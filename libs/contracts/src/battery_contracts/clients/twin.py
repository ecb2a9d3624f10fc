"""Client of the digital twin."""

from typing import Protocol

from battery_contracts.clients.service import ServiceClient
from battery_contracts.twin import EstimateRequest, EstimateResponse


class Estimator(Protocol):
    """Turns readings into estimates: the client of the twin, or a test double."""

    @property
    def is_reachable(self) -> bool:
        """Whether a call makes sense now; false while the circuit breaker is open."""
        ...

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Estimate a batch; raises `ServiceError` when there is no valid response."""
        ...

    async def is_ready(self) -> bool:
        """Check the readiness of the service."""
        ...

    def report_timeout(self) -> None:
        """Count a call that the caller gave up as a failure."""
        ...


class TwinClient(ServiceClient):
    """Call the digital twin."""

    service = "digital-twin"

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Estimate SOC, SOH and resistance of a batch within the client's time-out."""
        expected = len(request.battery_id)

        def fault(response: EstimateResponse) -> str | None:
            if any(len(values) != expected for _, values in response):
                return f"columns are not all of length {expected}"
            return None

        content = request.model_dump_json().encode()
        return await self._call("POST", "/api/v1/estimate", EstimateResponse, content=content, fault=fault)
