"""How the strings of a system share its load: by what they carry now, else by what they can hold."""

from collections.abc import Sequence
from datetime import datetime

from battery_api.fleet.runtime_schemas import RuntimeLoad
from battery_api.fleet.runtimes import total_load
from battery_api.twin.loads import present_load_a, recorded_load
from battery_api.twin.runtime_repository import RuntimeStringRow, StringBatteryRow


def shared_loads(
    strings: Sequence[RuntimeStringRow],
    batteries: Sequence[Sequence[StringBatteryRow]],
    requested: RuntimeLoad | None,
    now: datetime,
) -> list[RuntimeLoad | None]:
    """Return the load of each string; None where none is on record.

    While a string of the system discharges, each string that does has its present current, which says more of the bus
    than an assumption. Otherwise the loads of the last discharges together are shared by rated capacity: strings that
    carried more or less then, because one of them was away, do so no longer. A requested load is shared by the present
    currents if all strings discharge, else by rated capacity.
    """
    present = [present_load_a(string, now) for string in strings]
    currents_a = [current_a for current_a in present if current_a is not None]
    capacities_ah = [min((row.rated_capacity_ah for row in rows), default=0.0) for rows in batteries]
    if requested is not None:
        weights = [-current_a for current_a in currents_a] if len(currents_a) == len(strings) else capacities_ah
        return _shares(requested, weights)
    recorded = [recorded_load(string, now) for string in strings]
    total = total_load(recorded)
    return list(recorded) if currents_a or total is None else _shares(total, capacities_ah)


def _shares(total: RuntimeLoad, weights: Sequence[float]) -> list[RuntimeLoad | None]:
    whole = sum(weights)
    # Without any capacity there is no battery to judge either.
    parts = [weight / whole if whole else 1.0 / len(weights) for weight in weights]
    return [
        RuntimeLoad(
            basis=total.basis,
            current_a=None if total.current_a is None else part * total.current_a,
            power_w=None if total.power_w is None else part * total.power_w,
        )
        for part in parts
    ]
