"""What lives as long as the process: settings, pool, clock and the neighbours; knows no feature."""

from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import Depends, Request

from battery_api.db.session import Database
from battery_api.db.timescale import Engine
from battery_api.settings import GatewaySettings
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.simulator import SimulatorClient
from battery_contracts.clients.twin import Estimator
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_servicekit.clock import Clock


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """Built once when the gateway starts; tests build the same with other parts."""

    settings: GatewaySettings
    database: Database
    engine: Engine
    clock: Clock
    http: httpx.AsyncClient
    twin: Estimator | None
    ml: MlClient | None
    simulator: SimulatorClient | None
    twin_analysis: TwinAnalysisClient | None = None


def _process_context(request: Request) -> ProcessContext:
    context: ProcessContext = request.app.state.context
    return context


ContextDep = Annotated[ProcessContext, Depends(_process_context)]
