"""Runtime of a string: a simulation by the twin from the present estimates of its batteries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import StringNotFound
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A
from battery_api.twin import repository
from battery_api.twin.blocks import StringBlocks, blocks_of, unknown_of
from battery_api.twin.errors import LoadInvalid, RuntimeUnknown, SimulationRefused, TwinUnavailable
from battery_api.twin.repository import StringRow
from battery_api.twin.schemas import LoadBasis, RuntimeLoad, RuntimeOut, UnknownBattery
from battery_api.twin.service import is_stale
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.twin_analysis import TwinAnalysisClient
from battery_contracts.twin_analysis import MAX_BLOCK_W, LoadStep, SimulateRequest, SimulateResponse
from battery_servicekit.problems import FieldError

_log = structlog.get_logger(__name__)
# The last step lasts until the string is empty; its length only sets the resolution at the start.
_STEP_S: Final = 300.0
_RETRY_AFTER_S: Final = 5
_UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class RuntimeQuery:
    """What a runtime needs from the database."""

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
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise SimulationRefused(
                f"Outside the range of the simulation, per battery: {field}: {first['msg']}"
            ) from error

    def result(self, simulation: SimulateResponse, now: datetime) -> RuntimeOut:
        """Return the simulation with the data that it is based on."""
        unknown = self.string.unknown
        return RuntimeOut(
            string_id=self.string_id,
            generated_at=now,
            load=self.load,
            block_count=len(self.string.blocks),
            withheld_count=len(unknown),
            unknown_batteries=[UnknownBattery(battery_id=code, reason=reason) for code, reason in unknown.items()],
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
    RuntimeUnknown
        Fewer than half of the batteries have a present estimate.
    """
    string = await repository.find_string(connection, string_id, principal.location_codes)
    if string is None:
        raise StringNotFound(f"No string {string_id} that you may see.")
    load = _requested_load(power_w, current_a) or await _recorded_load(connection, string, now)
    rows = await repository.list_string_batteries(connection, string.key)
    blocks = blocks_of(rows, now)
    if blocks is None:
        raise RuntimeUnknown(
            f"Fewer than half of the {len(rows)} batteries have a present state of charge and health; "
            "a runtime would be a guess.",
            errors=[
                FieldError(field=code, code=reason.value, detail=f"{code} has no present estimate: {reason.value}.")
                for code, reason in unknown_of(rows, now).items()
            ],
        )
    _require_simulable(load, len(blocks.blocks))
    return RuntimeQuery(string_id, load, blocks)


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


def _unavailable() -> TwinUnavailable:
    detail = "The digital twin does not answer; there is no runtime without it."
    return TwinUnavailable(detail, headers={"Retry-After": str(_RETRY_AFTER_S)})


def _requested_load(power_w: float | None, current_a: float | None) -> RuntimeLoad | None:
    if power_w is None and current_a is None:
        return None
    if power_w is not None and current_a is not None:
        raise _load_invalid("power_w", "Give power_w or current_a, not both.")
    if current_a is not None and current_a >= 0:
        raise _load_invalid("current_a", "A discharge has a negative current, for example current_a=-60.")
    return RuntimeLoad(basis=LoadBasis.GIVEN, current_a=current_a, power_w=power_w)


async def _recorded_load(connection: AsyncConnection, string: StringRow, now: datetime) -> RuntimeLoad:
    present_a = string.current_a
    is_fresh = not is_stale(string.time, string.reporting_interval_s, now)
    if is_fresh and present_a is not None and present_a < DISCHARGE_BELOW_A:
        return RuntimeLoad(basis=LoadBasis.PRESENT, current_a=present_a, power_w=None)
    last_a = await repository.last_load_a(connection, string.key)
    if last_a is None:
        raise _load_invalid("power_w", "The string has no load now and none on record; give power_w or current_a.")
    return RuntimeLoad(basis=LoadBasis.LAST_DISCHARGE, current_a=last_a, power_w=None)


def _require_simulable(load: RuntimeLoad, block_count: int) -> None:
    most_w = MAX_BLOCK_W * block_count
    if load.power_w is not None and load.power_w > most_w:
        raise _load_invalid(
            "power_w",
            f"{load.power_w:,.0f} W is more than a string of {block_count} batteries can be simulated with, "
            f"{most_w:,.0f} W; give the power of this string, not that of the whole system.",
        )


def _load_invalid(field: str, detail: str) -> LoadInvalid:
    return LoadInvalid(detail, errors=[FieldError(field=field, code="invalid", detail=detail)])
