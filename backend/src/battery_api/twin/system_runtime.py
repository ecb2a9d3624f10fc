"""Runtime of a battery system: its strings are in parallel on one bus and share its load.

The system lasts until its first string reaches the cut-off at its share. Afterwards the others carry more than they
were judged for, so the runtime says nothing of what comes then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import SystemNotFound
from battery_api.fleet.runtime_schemas import NoRuntimeReason, RuntimeLoad
from battery_api.fleet.runtimes import least_of, reaches_cut_off, total_load
from battery_api.twin import runtime_repository as repository
from battery_api.twin.blocks import unknown_of
from battery_api.twin.errors import SimulationRefused
from battery_api.twin.loads import requested_load, require_simulable
from battery_api.twin.runtime import named, request_of, simulate
from battery_api.twin.schemas import SystemRuntimeOut, SystemStringRuntime
from battery_api.twin.system_loads import shared_loads
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.enums import NoEstimateReason
from battery_contracts.twin_analysis import SimulateRequest, SimulateResponse


@dataclass(frozen=True, slots=True)
class StringShare:
    """A string of a system with its share of the load, and what is asked of the twin or why nothing can be."""

    string_id: str
    load: RuntimeLoad | None
    block_count: int
    unknown: dict[str, NoEstimateReason]
    request: SimulateRequest | NoRuntimeReason

    async def runtime(self, twin: TwinAnalysisClient | None) -> SystemStringRuntime:
        """Simulate the string, and return its runtime or why it has none.

        Raises
        ------
        TwinUnavailable
            The twin gave no valid response.
        """
        if isinstance(self.request, NoRuntimeReason):
            return self._result(None, self.request)
        try:
            return self._result(await simulate(twin, self.request), None)
        except SimulationRefused:
            return self._result(None, NoRuntimeReason.OUTSIDE_MODEL)

    def _result(self, simulation: SimulateResponse | None, reason: NoRuntimeReason | None) -> SystemStringRuntime:
        p50_s = None if simulation is None else simulation.runtime_p50_s
        return SystemStringRuntime(
            string_id=self.string_id,
            load=self.load,
            block_count=self.block_count,
            withheld_count=len(self.unknown),
            unknown_batteries=named(self.unknown),
            runtime_p10_s=None if simulation is None else simulation.runtime_p10_s,
            runtime_p50_s=p50_s,
            runtime_p90_s=None if simulation is None else simulation.runtime_p90_s,
            reaches_cut_off=reaches_cut_off(p50_s),
            limiting_battery_id=None if simulation is None else simulation.limiting_battery_id,
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class SystemQuery:
    """A system with its strings and their shares of its load."""

    system_id: str
    strings: Sequence[StringShare]

    async def runtime(self, twin: TwinAnalysisClient | None, now: datetime) -> SystemRuntimeOut:
        """Simulate one string after another, and return the least of their runtimes.

        Raises
        ------
        TwinUnavailable
            The twin gave no valid response.
        """
        strings = [await share.runtime(twin) for share in self.strings]
        return SystemRuntimeOut(
            **least_of([(string.string_id, string) for string in strings]).model_dump(),
            system_id=self.system_id,
            generated_at=now,
            load=total_load([string.load for string in strings]),
            withheld_count=sum(string.withheld_count for string in strings),
            strings=strings,
        )


async def prepare_system(
    connection: AsyncConnection,
    principal: Principal,
    now: datetime,
    system_id: str,
    *,
    power_w: float | None,
    current_a: float | None,
) -> SystemQuery:
    """Read the estimates of the strings of a system that are in service, and share its load among them.

    Raises
    ------
    LoadInvalid
        The request gives no usable load.
    """
    strings = await repository.list_system_strings(connection, system_id, principal.location_codes)
    if not strings:
        raise SystemNotFound(f"No system {system_id} with strings in service that you may see.")
    found = await repository.list_batteries(connection, [string.key for string in strings])
    batteries = [found[string.key] for string in strings]
    shares = []
    loads = shared_loads(strings, batteries, requested_load(power_w, current_a), now)
    for string, rows, load in zip(strings, batteries, loads, strict=True):
        if load is not None and rows:
            require_simulable(load, len(rows), remedy=f"that is the share of {string.code}, so give less")
        request = request_of(string.code, load, rows, now)
        shares.append(StringShare(string.code, load, len(rows), unknown_of(rows, now), request))
    return SystemQuery(system_id, shares)
