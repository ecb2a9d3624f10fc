"""Client for senders of readings: the simulator, edge gateways and the command line."""

import httpx

from battery_contracts.clients.service import ServiceClient
from battery_contracts.telemetry import IngestResult, TelemetryBatch


class TelemetryClient(ServiceClient):
    """Post readings with an API key."""

    service = "gateway"

    def __init__(self, http: httpx.AsyncClient, base_url: str, *, api_key: str, timeout_s: float = 30.0) -> None:
        super().__init__(http, base_url, token="", timeout_s=timeout_s)
        self._headers = {"X-API-Key": api_key}

    async def post(self, batch: TelemetryBatch) -> IngestResult:
        """Post one batch; when this returns, the batch is durable."""
        return await self.post_json(batch.model_dump_json(exclude_none=True).encode())

    async def post_json(self, body: bytes) -> IngestResult:
        """Post a batch that is already JSON."""
        return await self._call("POST", "/api/v1/telemetry", IngestResult, content=body)
