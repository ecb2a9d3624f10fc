"""A small fleet behind the real gateway, whose strings can be discharged, for the tests of the twin's record."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from battery_api.accounts.principal import Principal, Scope
from battery_api.app.parts import PartOverrides
from battery_api.context import ProcessContext
from battery_api.db.session import Database
from battery_api.telemetry.ports import NoPublisher
from battery_api.twin import discharge_job
from battery_api.twin.replay import job as replay_job
from battery_contracts.clients.errors import ServiceUnavailable
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.clients.twin import Estimator
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.enums import Provenance, Role
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_contracts.twin_analysis import SimulateRequest, SimulateResponse
from battery_servicekit.clock import FixedClock
from tests.support.callers import Callers, named
from tests.support.fleet import LOCATIONS, NOW, RATED_AH, STRINGS, battery_codes
from tests.support.times import iso

__all__ = ["BATTERIES", "LOCATIONS", "NOW", "PER_STRING", "RATED_AH", "STRINGS", "iso", "named"]

PER_STRING = 3
BATTERIES = battery_codes(PER_STRING)
CHUNK = 60
"""Readings of a battery in one batch; ingest asks the twin for so many at most."""
HERE, FIRST = STRINGS[0], BATTERIES[0]


@dataclass
class ScriptedTwin(ConstantTwin):
    """A twin that says what the test tells it to."""

    soc_pct: float = 100.0
    soh_pct: float = 95.0
    soh_sd_pct: float = 8.0
    provenance: Provenance = Provenance.PRIOR_ONLY
    is_down: bool = False
    requests: list[EstimateRequest] = field(default_factory=list)

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        if self.is_down:
            raise ServiceUnavailable("digital-twin", "ConnectError")
        response = await super().estimate(request)
        count = len(request.battery_id)
        changed = {"soh_sd_pct": [self.soh_sd_pct] * count, "soh_provenance": [self.provenance] * count}
        return response.model_copy(update=changed)


@dataclass
class Simulator:
    """Stands for the twin's simulation: the emptiest block's charge over the current, and what it was asked."""

    failure: httpx.Response | None = None
    asked: list[SimulateRequest] = field(default_factory=list)
    waits: asyncio.Event | None = None
    """If set, answers are given only after it."""
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def client(self) -> TwinAnalysisClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return TwinAnalysisClient(http, "http://twin", token="t")

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.is_asked.set()
        if self.waits is not None:
            await self.waits.wait()
        if self.failure is not None:
            return self.failure
        asked = SimulateRequest.model_validate_json(request.content)
        self.asked.append(asked)
        weakest = min(asked.blocks, key=lambda block: block.soc_pct * block.soh_pct)
        step = asked.profile[-1]
        current_a = -step.current_a if step.current_a else (step.power_w or 0.0) / 12.0
        runtime_s = 3600 * (asked.rated_ah or 0.0) * weakest.soc_pct * weakest.soh_pct / 1e4 / current_a
        answer = SimulateResponse(
            runtime_p10_s=0.8 * runtime_s,
            runtime_p50_s=runtime_s,
            runtime_p90_s=1.2 * runtime_s,
            reaches_cut_off=True,
            limiting_battery_id=weakest.battery_id,
            limiting_probability=0.9,
            time_s=[runtime_s],
            current_a=[-current_a],
            string_voltage_v=[asked.cut_off_v * len(asked.blocks)],
            limiting_voltage_v=[asked.cut_off_v],
            limiting_soc_pct=[0.0],
        )
        return httpx.Response(200, content=answer.model_dump_json())


CALLERS = Callers(
    {
        "mali": Principal("mali", 1, Role.VIEWER, frozenset(), None),
        "nok": Principal("nok", 2, Role.ENGINEER, frozenset(), frozenset({LOCATIONS[1]})),
        "feed": Principal("feed", None, None, frozenset({Scope.TELEMETRY_WRITE}), None),
    }
)


@dataclass
class World:
    """The gateway, its clock and its twin."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FixedClock
    twin: ScriptedTwin
    simulator: Simulator

    @property
    def context(self) -> ProcessContext:
        context: ProcessContext = self.app.state.parts.context
        return context

    @property
    def database(self) -> Database:
        return self.context.database

    async def post(self, body: dict[str, Any]) -> None:
        answer = await self.client.post("telemetry", json=body, headers=named("feed"))
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected_count"] == 0, answer.text

    async def load(
        self,
        current_a: float,
        at: Sequence[datetime],
        *,
        string: str = HERE,
        volts: float = 12.0,
        celsius: float = 25.0,
        mode: Any = None,
    ) -> None:
        """Post a string's current and its blocks' voltages at some instants; the clock follows."""
        self.clock.set(max(self.clock.now(), *at))
        for start in range(0, len(at), CHUNK):
            self._strict(at)
            times = [iso(one) for one in at[start : start + CHUNK]]
            blocks = [code for code in BATTERIES if string in code]
            await self.post(
                {
                    "string_readings": [
                        {"string_id": string, "time": time, "current_a": current_a, "voltage_v": volts * PER_STRING}
                        | ({"mode": mode} if mode else {})
                        for time in times
                    ],
                    "readings": [
                        {"battery_id": code, "time": time, "voltage_v": volts - 0.1 * number, "temperature_c": celsius}
                        for number, code in enumerate(blocks)
                        for time in times
                    ],
                }
            )

    @staticmethod
    def _strict(at: Sequence[datetime]) -> None:
        assert list(at) == sorted(set(at))

    async def record(self) -> int:
        """Run the job once."""
        return await discharge_job.run_once(self.context)

    async def follow_up(self) -> int:
        """Let the twin estimate all that waits for it; return in how many spans."""
        spans = 0
        while (await self.rows("select count(*) from string_state where reestimate_from is not null"))[0]["count"]:
            done = await replay_job.run_once(self.context, self.app.state.parts.catalogue)
            assert done, "readings wait, and nothing is done"
            spans += done
        return spans

    async def events(self) -> list[dict[str, Any]]:
        return await self.rows(
            "select e.*, g.code as string, b.code as lowest from discharge_event e join string g on g.id = e.string_id "
            "left join battery b on b.id = e.lowest_battery_id order by e.started_at, g.code"
        )

    async def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        async with self.database.begin() as connection:
            result = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def outage(self, start: datetime, minutes: float = 10.0, *, step_s: float = 2, string: str = HERE) -> None:
        """Float once a minute, a discharge with 60 A, and the recharge after it."""
        end = start + timedelta(minutes=minutes)
        await self.load(0.1, every(60, start - timedelta(minutes=5), 240), volts=13.6, string=string)
        await self.load(-60.0, every(step_s, start, minutes * 60), volts=12.0, string=string)
        await self.load(25.0, every(60, end + timedelta(seconds=2), 600), volts=13.0, string=string)

    async def get(self, path: str, *, who: str = "mali", status: int = 200, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(path, params=query, headers=named(who))
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found


def every(step_s: float, start: datetime, duration_s: float) -> list[datetime]:
    """Return the instants from a start over a duration, both ends included."""
    return [start + timedelta(seconds=step_s * at) for at in range(round(duration_s / step_s) + 1)]


def overrides(clock: FixedClock, twin: Estimator, simulator: Simulator) -> PartOverrides:
    """Return what stands for the real parts: clock, callers, listeners and the twin."""
    return PartOverrides(
        clock=clock, twin=twin, twin_analysis=simulator.client(), publisher=NoPublisher(), authenticator=CALLERS
    )
