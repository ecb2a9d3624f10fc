"""The gateway on a small fleet, with services of remaining life that answer what a test scripts."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal, Scope
from battery_api.app.parts import PartOverrides
from battery_api.context import ProcessContext
from battery_api.predictions.job import PredictionJob
from battery_api.telemetry.ports import NoPublisher
from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.enums import Provenance, Role
from battery_contracts.events import PredictionUpdate
from battery_contracts.ml import FeatureDrift, Reason, RulBatchRequest, RulBatchResponse, RulPrediction
from battery_contracts.twin import Quantiles
from battery_contracts.twin_analysis import PhysicsForecast, PhysicsRulRequest, PhysicsRulResponse
from battery_servicekit.clock import FixedClock
from tests.support.callers import Callers, named
from tests.support.fleet import LOCATIONS, NOW, STRINGS, battery_codes

PER_STRING = 2
BATTERIES = battery_codes(PER_STRING)
DAYS = 120
VERSION = "v1"
REASON = Reason(feature="age_days", effect_days=-10.0, value=1.0, fleet_norm=2.0, sentence="Older than the fleet")
CALLERS = Callers(
    {
        "mali": Principal("mali", 1, Role.VIEWER, frozenset(), None),
        "nok": Principal("nok", 2, Role.ENGINEER, frozenset(), frozenset({LOCATIONS[1]})),
        "som": Principal("som", 3, Role.ENGINEER, frozenset(), None),
        "chai": Principal("chai", 4, Role.ADMIN, frozenset(), None),
        "feed": Principal("feed", None, None, frozenset({Scope.TELEMETRY_WRITE}), None),
    }
)
Meeting = Callable[[], Awaitable[None]]


class Breakable(ABC):
    """What is common of both services: away or not, and a meeting before each answer."""

    def __init__(self) -> None:
        self.failure: httpx.Response | None = None
        self.days: dict[str, tuple[float, float, float]] = {}
        self.asked: list[Any] = []
        self.before: Meeting | None = None

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._serve))

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        if self.failure is not None:
            return self.failure
        if request.url.path == "/health/ready":
            return httpx.Response(200, json={})
        if self.before is not None:
            await self.before()
        return self.answer(request)

    @abstractmethod
    def answer(self, request: httpx.Request) -> httpx.Response: ...


class Ml(Breakable):
    """The prediction service."""

    def __init__(self) -> None:
        super().__init__()
        self.withheld: dict[str, str] = {}
        self.follow_up_days: float | None = None
        self.drift: list[FeatureDrift] = []
        self.other: dict[str, httpx.Response] = {}
        """Answers of the registry by method and path."""

    def client(self) -> MlClient:
        return MlClient(self.http(), "http://ml", token="t", breaker=CircuitBreaker(threshold=1000))

    def answer(self, request: httpx.Request) -> httpx.Response:
        found = self.other.get(f"{request.method} {request.url.path}")
        if found is not None:
            return found
        asked = RulBatchRequest.model_validate_json(request.content)
        self.asked.append(asked)
        predictions = [self._predict(code, asked.as_of) for code in asked.battery_id]
        response = RulBatchResponse(model_version=VERSION, predictions=predictions, drift=self.drift)
        return httpx.Response(200, content=response.model_dump_json())

    def _predict(self, code: str, as_of: datetime) -> RulPrediction:
        p10, p50, p90 = self.days.get(code, (800.0, 1000.0, 1200.0))
        reason = self.withheld.get(code)
        return RulPrediction(
            battery_id=code,
            rul_days=None if reason else Quantiles(p10=p10, p50=p50, p90=p90),
            withheld_reason=reason,
            confidence=None if reason else 0.6,
            follow_up_days=self.follow_up_days,
            peer_deviation=1.5,
            peer_deviation_of="resistance_25c_mohm",
            reasons=[REASON],
            model_version=VERSION,
            predicted_at=as_of,
            widened_because=["short_history"],
        )


class Twin(Breakable):
    """The ageing law."""

    def client(self) -> TwinAnalysisClient:
        return TwinAnalysisClient(self.http(), "http://twin", token="t", breaker=CircuitBreaker(threshold=1000))

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = PhysicsRulRequest.model_validate_json(request.content)
        self.asked.append(asked)
        forecasts = []
        for battery in asked.batteries:
            p10, p50, p90 = self.days.get(battery.battery_id, (900.0, 1100.0, 1300.0))
            forecasts.append(
                PhysicsForecast(
                    battery_id=battery.battery_id,
                    rul_days=Quantiles(p10=p10, p50=p50, p90=p90),
                    provenance=Provenance.PRIOR_ONLY,
                    as_of=asked.as_of,
                    soh_pct=95.0,
                    soh_sd_pct=3.0,
                    ageing_over_25_c=1.1,
                )
            )
        return httpx.Response(200, content=PhysicsRulResponse(forecasts=forecasts).model_dump_json())


@dataclass
class Histories:
    """A history of one temperature for every battery of a location, except for those that are named."""

    missing: set[str] = field(default_factory=set)
    celsius: float = 27.2
    past_day_count: int = 1000
    is_waiting: bool = False

    async def read_histories(
        self, connection: AsyncConnection, location: int, as_of: datetime
    ) -> RulBatchRequest | None:
        found = await connection.exec_driver_sql("select code from location where id = $1", (location,))
        code = found.scalar_one()
        batteries = [one for one in BATTERIES if code in one and one not in self.missing]
        if not batteries:
            return None
        unknown: list[float | None] = [None] * len(batteries)
        daily = np.full((len(batteries), DAYS), self.celsius, "<f4")
        daily[:, 0] = np.nan
        return RulBatchRequest(
            as_of=as_of,
            battery_id=batteries,
            string_id=[one.removeprefix("BAT-")[:-4] for one in batteries],
            age_days=unknown,
            rated_ah=unknown,
            design_life_years=unknown,
            days=DAYS,
            daily={"temperature_mean_c": daily.tobytes()},
        )

    async def progress(
        self,
        connection: AsyncConnection,  # noqa: ARG002  # the signature of the port
        now: datetime,  # noqa: ARG002
    ) -> tuple[int, bool]:
        return self.past_day_count, self.is_waiting


@dataclass
class PublishedPredictions(NoPublisher):
    """Records what is published."""

    updates: list[PredictionUpdate] = field(default_factory=list)

    async def publish_predictions(self, updates: Sequence[PredictionUpdate]) -> None:
        self.updates.extend(updates)


@dataclass
class World:
    """The gateway, its clock and its services."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FixedClock
    twin: Twin
    ml: Ml
    histories: Histories
    published: PublishedPredictions

    @property
    def context(self) -> ProcessContext:
        context: ProcessContext = self.app.state.parts.context
        return context

    def job(self) -> PredictionJob:
        """Return the job of another process."""
        return PredictionJob(self.context, self.histories, self.published)

    def forward(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))

    async def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        async with self.context.database.begin() as connection:
            result = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def count(self, table: str = "rul_prediction") -> int:
        (row,) = await self.rows(f"select count(*) from {table}")
        return int(row["count"])

    async def runs(self) -> list[dict[str, Any]]:
        return await self.rows("select * from prediction_run order by id")

    async def get(self, path: str, *, who: str = "mali", status: int = 200, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(path, params=query, headers=named(who))
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, path: str, body: Any = None, *, who: str = "som", status: int = 202) -> dict[str, Any]:
        answer = await self.client.post(path, json=body, headers=named(who))
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found


def overrides(clock: FixedClock, twin: Twin, ml: Ml, histories: Histories) -> PartOverrides:
    return PartOverrides(
        clock=clock,
        twin=ConstantTwin(),
        twin_analysis=twin.client(),
        ml=ml.client(),
        histories=histories,
        publisher=NoPublisher(),
        authenticator=CALLERS,
    )


__all__ = ["BATTERIES", "LOCATIONS", "NOW", "PER_STRING", "STRINGS", "World"]
