"""The findings about a battery's newest resistance: one reading, as many verdicts as there are policies."""

from datetime import datetime
from typing import Annotated, Any, Final

import numpy as np
from pydantic import AwareDatetime, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import BatteryNotFound
from battery_api.fleet.ohmic import is_credible_baseline, resistance_at_25c
from battery_api.fleet.ohmic_policies import Denominator, OhmicAction, UnknownReason, Verdict, find
from battery_contracts.described import Described
from battery_contracts.rounding import to_decimals

_STRING: Final = text(
    """
    select b.code, l.code as location_code, x.internal_resistance_mohm, x.resistance_temperature_c, x.resistance_at,
           b.baseline_resistance_mohm, b.baseline_temperature_c, m.nominal_resistance_mohm
    from battery o join battery b on b.string_id = o.string_id
    join battery_model m on m.id = b.model_id join location l on l.id = b.location_id
    join battery_state x on x.battery_id = b.id
    where o.code = :battery_id and o.removed_at is null and b.removed_at is null
      and (b.retired_at is null or b.id = o.id)
    """
)


class OhmicFindingOut(Described):
    """What one policy makes of the newest resistance."""

    policy_id: str
    """Id of the policy."""
    denominator: Denominator
    """What the rise is measured against: the battery's own baseline, or the mean of the others in its string."""
    limit_pct: float
    """Rise in percent beyond which the policy asks for its action."""
    action: OhmicAction
    """What it asks for."""
    source: str
    """Where the policy comes from."""
    verdict: Verdict
    """Whether the rise is beyond the limit; `unknown` is no all-clear."""
    rise_pct: Annotated[float, to_decimals(1)] | None
    """Rise in percent, both values at 25 °C; null where `reason` says why."""
    reason: UnknownReason | None
    """Why the policy cannot be applied; null where it can."""


class OhmicFindings(Described):
    """The newest resistance of a battery and what the policies make of it."""

    battery_id: str
    """Id of the battery."""
    internal_resistance_mohm: Annotated[float, to_decimals(3)] | None
    """Newest resistance in milliohms as measured; null where there is none."""
    resistance_25c_mohm: Annotated[float, to_decimals(3)] | None
    """The same at 25 °C; null without a temperature of its time."""
    measured_at: AwareDatetime | None
    """When it was measured."""
    findings: list[OhmicFindingOut] = Field(description="One for each policy; several may be exceeded at once.")


async def findings_of(connection: AsyncConnection, principal: Principal, battery_id: str) -> OhmicFindings:
    """Return the findings about a battery.

    Raises
    ------
    BatteryNotFound
        There is no such battery, or the caller may not see its location.
    """
    rows = {row.code: row for row in await connection.execute(_STRING, {"battery_id": battery_id})}
    own = rows.pop(battery_id, None)
    if own is None or not principal.may_see(own.location_code):
        raise BatteryNotFound(f"No battery {battery_id} that you may see.")
    resistance = _at_25c(own.internal_resistance_mohm, own.resistance_temperature_c)
    peers = [_at_25c(row.internal_resistance_mohm, row.resistance_temperature_c) for row in rows.values()]
    found = find(
        resistance,
        is_measured=own.internal_resistance_mohm is not None,
        baseline_25c_mohm=_baseline(own),
        peers_25c_mohm=[peer for peer in peers if peer is not None],
    )
    measured_at: datetime | None = own.resistance_at
    return OhmicFindings(
        battery_id=battery_id,
        internal_resistance_mohm=own.internal_resistance_mohm,
        resistance_25c_mohm=resistance,
        measured_at=measured_at,
        findings=[
            OhmicFindingOut(**one.policy._asdict(), verdict=one.verdict, rise_pct=one.rise_pct, reason=one.reason)
            for one in found
        ],
    )


def _at_25c(resistance_mohm: float | None, temperature_c: float | None) -> float | None:
    if resistance_mohm is None or temperature_c is None:
        return None
    return float(resistance_at_25c(np.array([resistance_mohm]), np.array([temperature_c]))[0])


def _baseline(row: Any) -> float | None:
    baseline = row.baseline_resistance_mohm
    if baseline is None or not is_credible_baseline(baseline, row.nominal_resistance_mohm):
        return None
    return _at_25c(baseline, row.baseline_temperature_c)
