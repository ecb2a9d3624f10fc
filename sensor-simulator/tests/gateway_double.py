"""A gateway on a real port that records what it acknowledged and fails on request."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from battery_contracts.telemetry import TelemetryBatch
from battery_servicekit.testing.process import free_port

Key = tuple[str, str]


@dataclass
class GatewayDouble:
    """Takes batches as the real one does: repeats are free, a batch is recorded before it is acknowledged."""

    port: int = field(default_factory=free_port)
    api_key: str = "key"
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers to give instead, one a call; then it works again."""
    poison: str | None = None
    """A string id whose batches are refused for good."""
    max_batch_rows: int = 20_000
    hangs: bool = False
    """Whether calls are left without an answer."""
    values: dict[Key, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    arrivals: list[list[Key]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        app = Starlette(routes=[Route("/api/v1/telemetry", self._take, methods=["POST"])])
        config = uvicorn.Config(app, port=self.port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            assert self._thread.is_alive()

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(10)
        self._server = None

    def times_of(self, item_id: str) -> list[str]:
        """Return the instants of one battery, string or location in the order in which they arrived first."""
        return [
            time for name, time in dict.fromkeys(key for batch in self.arrivals for key in batch) if name == item_id
        ]

    async def _take(self, request: Request) -> Response:
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200 and request.headers.get("x-api-key") != self.api_key:
            status = 401
        body = await request.body()
        while self.hangs:  # noqa: ASYNC110  # set by the test's thread
            await asyncio.sleep(0.05)
        if status == 200 and self.poison is not None and self.poison.encode() in body:
            status = 422
        rows = list(_rows(body)) if status == 200 else []
        if len(rows) > self.max_batch_rows:
            status = 413
        self.statuses.append(status)
        if status != 200:
            problem = {"code": "failure_requested", "detail": "failure requested", "status": status}
            return Response(orjson.dumps(problem), status, headers, "application/problem+json")
        new = [(key, value) for key, value in rows if value not in self.values[key]]
        for key, value in new:
            self.values[key].add(value)
        self.arrivals.append([key for key, _ in rows])
        result = {"accepted": len(new), "duplicates": len(rows) - len(new), "late": 0, "rejected_count": 0}
        return Response(orjson.dumps(result), media_type="application/json")


def _rows(body: bytes) -> Iterator[tuple[Key, bytes]]:
    # The contract's own model: a body that the real gateway could not read must not pass here.
    TelemetryBatch.model_validate_json(body)
    content: dict[str, Any] = orjson.loads(body)
    columns = content.get("columns", {})
    for position, battery_id in enumerate(columns.get("battery_id", [])):
        values = {name: column[position] for name, column in columns.items()}
        # A column that a batch does not have and a null are the same reading.
        values.setdefault("internal_resistance_mohm", None)
        yield (battery_id, values["time"]), orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    for reading in content.get("string_readings", []):
        yield (reading["string_id"], reading["time"]), orjson.dumps(reading)
    for reading in content.get("site_readings", []):
        yield (reading["location_id"], reading["time"]), orjson.dumps(reading)
