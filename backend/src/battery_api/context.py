"""What lives as long as the process: settings, connection pool, clock and service clients; knows no feature."""

from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import httpx
from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from battery_api.db.errors import DatabaseUnavailable, DiskFull
from battery_api.db.session import Database
from battery_api.db.timescale import Engine
from battery_api.settings import GatewaySettings
from battery_contracts.clients.ml import MlClient
from battery_contracts.clients.simulator import SimulatorClient
from battery_contracts.clients.twin import Estimator
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_servicekit.clock import Clock
from battery_servicekit.disk import DiskWatch
from battery_servicekit.openapi.marks import can_raise


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """Built once when the gateway starts; tests build it with other parts."""

    settings: GatewaySettings
    database: Database
    engine: Engine
    clock: Clock
    http: httpx.AsyncClient
    twin: Estimator | None
    ml: MlClient | None
    simulator: SimulatorClient | None
    disk: DiskWatch
    twin_analysis: TwinAnalysisClient | None = None


class ContextParts(Protocol):
    """What every endpoint needs of the running gateway."""

    @property
    def context(self) -> ProcessContext:
        """The process context."""
        ...


def parts_of(request: HTTPConnection) -> Any:
    """Return the parts of the running gateway (`app.parts.GatewayParts`).

    Each feature annotates the result with a protocol of its own that names just what it uses, so that no feature
    imports the module that assembles them all.
    """
    return request.app.state.parts


@can_raise(DatabaseUnavailable, DiskFull)
def _process_context(request: Request) -> ProcessContext:
    parts: ContextParts = parts_of(request)
    return parts.context


@can_raise(DiskFull)
def _require_room(request: Request) -> None:
    if _process_context(request).disk.is_full:
        raise DiskFull


NeedsRoom = Depends(_require_room)
"""For endpoints that write much: answers `DiskFull` before the database meets the end of the disk."""
ContextDep = Annotated[ProcessContext, Depends(_process_context)]
