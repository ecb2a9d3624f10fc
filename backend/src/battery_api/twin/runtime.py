"""Runtime of a string: a simulation by the twin from the present estimates of its batteries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import StringNotFound
from battery_api.fleet.runtime_schemas import NoRuntimeReason, RuntimeLoad
from battery_api.twin import runtime_repository as repository
from battery_api.twin.blocks import StringBlocks, blocks_of, unknown_of
from battery_api.twin.errors import RuntimeUnknown, SimulationRefused, TwinUnavailable
from battery_api.twin.loads import load_invalid, recorded_load, requested_load, require_simulable
from battery_api.twin.runtime_repository import StringBatteryRow
from battery_api.twin.schemas import RuntimeOut, UnknownBattery
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.enums import NoEstimateReason
from battery_contracts.twin_analysis import LoadStep, SimulateRequest, SimulateResponse
from battery_servicekit.problems import FieldError

_log = structlog.get_logger(__name__)
# The last step lasts until the string is empty; its length only sets the resolution at the start.
_STEP_S: Final = 300.0
_RETRY_AFTER_S: Final = 5
_UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class RuntimeQuery:
    """What the twin needs for the runtime of a string."""

    string_id: str
    load: RuntimeLoad
    string: StringBlocks

    def request(self) -> SimulateRequest:
        """Return the request to the twin.

        Raises
        ------
        SimulationRefused
            The load or the blocks are outside the range of the twin's model.
        """
        power_w = self.load.power_w
        block_w = None if power_w is None else power_w / len(self.string.blocks)
        try:
            return SimulateRequest(
                blocks=self.string.blocks,
                profile=[LoadStep(duration_s=_STEP_S, current_a=self.load.current_a, power_w=block_w)],
                rated_ah=self.string.rated_ah,
                cut_off_v=self.string.cut_off_v,
            )
        except ValidationError as error:
            raise _outside_model(error) from error

    def result(self, simulation: SimulateResponse, now: datetime) -> RuntimeOut:
        """Return the simulation with the data that it is based on."""
        unknown = self.string.unknown
        return RuntimeOut(
            string_id=self.string_id,
            generated_at=now,
            load=self.load,
            block_count=len(self.string.blocks),
            withheld_count=len(unknown),
            unknown_batteries=named(unknown),
            assumed_battery_ids=list(unknown),
            oldest_reading_at=self.string.oldest_reading_at,
            simulation=simulation,
        )


async def prepare(
    connection: AsyncConnection,
    principal: Principal,
    now: datetime,
    string_id: str,
    *,
    power_w: float | None,
    current_a: float | None,
) -> RuntimeQuery:
    """Read the estimates of a string, and choose the load.

    Raises
    ------
    LoadInvalid
        The request gives no usable load, and none is on record.
    RuntimeUnknown
        Fewer than half of the batteries have a present estimate.
    """
    string = await repository.find_string(connection, string_id, principal.location_codes)
    if string is None:
        raise StringNotFound(f"No string {string_id} that you may see.")
    load = requested_load(power_w, current_a) or recorded_load(string, now)
    if load is None:
        raise load_invalid("power_w", "The string has no load now and none on record; give power_w or current_a.")
    rows = (await repository.list_batteries(connection, [string.key]))[string.key]
    query = query_of(string_id, load, rows, now)
    require_simulable(load, len(rows), remedy="give the power of this string, not that of the whole system")
    return query


def query_of(string_id: str, load: RuntimeLoad, rows: Sequence[StringBatteryRow], now: datetime) -> RuntimeQuery:
    """Return the query of a string's runtime under a load, from the rows of its batteries.

    Raises
    ------
    RuntimeUnknown
        Fewer than half of the batteries have a present estimate.
    SimulationRefused
        An estimate is outside the range of the twin's model.
    """
    try:
        blocks = blocks_of(rows, now)
    except ValidationError as error:
        raise _outside_model(error) from error
    if blocks is None:
        raise RuntimeUnknown(
            f"Fewer than half of the {len(rows)} batteries have a present state of charge and health; "
            "a runtime would be a guess.",
            errors=[
                FieldError(field=code, code=reason.value, detail=f"{code} has no present estimate: {reason.value}.")
                for code, reason in unknown_of(rows, now).items()
            ],
        )
    return RuntimeQuery(string_id, load, blocks)


def request_of(
    string_id: str, load: RuntimeLoad | None, rows: Sequence[StringBatteryRow], now: datetime
) -> SimulateRequest | NoRuntimeReason:
    """Return the request to the twin for a string, or why there can be none."""
    if load is None:
        return NoRuntimeReason.NO_LOAD_ON_RECORD
    try:
        return query_of(string_id, load, rows, now).request()
    except RuntimeUnknown:
        return NoRuntimeReason.FEWER_THAN_HALF_KNOWN
    except SimulationRefused:
        return NoRuntimeReason.OUTSIDE_MODEL


async def simulate(twin: TwinAnalysisClient | None, request: SimulateRequest) -> SimulateResponse:
    """Run a simulation on the twin.

    Raises
    ------
    TwinUnavailable
        The twin gave no valid response.
    SimulationRefused
        The twin rejects the request.
    """
    if twin is None:
        raise TwinUnavailable("No digital twin is configured, so nothing can be simulated.")
    try:
        return await twin.simulate(request)
    except ServiceRefused as error:
        if error.status == _UNPROCESSABLE:
            raise SimulationRefused(error.detail) from error
        _log.error("twin refused a simulation", status=error.status, detail=error.detail)
        raise _unavailable() from error
    except ServiceError as error:
        _log.warning("twin gave no simulation", reason=type(error).__name__, detail=error.detail)
        raise _unavailable() from error


def named(unknown: dict[str, NoEstimateReason]) -> list[UnknownBattery]:
    """Return the batteries without a present estimate, each with the reason."""
    return [UnknownBattery(battery_id=code, reason=reason) for code, reason in unknown.items()]


def _unavailable() -> TwinUnavailable:
    detail = "The digital twin does not answer; there is no runtime without it."
    return TwinUnavailable(detail, headers={"Retry-After": str(_RETRY_AFTER_S)})


def _outside_model(error: ValidationError) -> SimulationRefused:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return SimulationRefused(f"Outside the range of the simulation, per battery: {field}: {first['msg']}")
