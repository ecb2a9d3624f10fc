"""Columns whose values cannot have the unit of their heading, by the nameplates of the batteries."""

from collections.abc import Sequence
from statistics import median_low
from typing import Final

from battery_api.cli.column_units import CONDUCTANCE, QUANTITIES, Quantity, Unit, units_of
from battery_api.cli.run_columns import MeasuredColumn
from battery_contracts.channels import BATTERY_CHANNELS
from battery_contracts.fleet import BATTERY_MODELS

_MODELS: Final = tuple(BATTERY_MODELS.values())
_PLAUSIBLE: Final = {
    # From an exhausted block (1.5 V per cell) to an equalising charge (2.5 V per cell).
    "voltage_v": (1.5 * min(model.cell_count for model in _MODELS), 2.5 * max(model.cell_count for model in _MODELS)),
    # Batteries of a data centre are discharged within minutes: at most ten times their capacity in an hour (EJ).
    "current_a": (0.0, 10 * max(model.rated_capacity_ah for model in _MODELS)),
    "temperature_c": (0.0, 60.0),
    "internal_resistance_mohm": (
        min(model.nominal_resistance_mohm for model in _MODELS) / 5,
        max(model.nominal_resistance_mohm for model in _MODELS) * 5,
    ),
}
"""Where the middle value of a recording lies, in the unit of the channel (EJ beyond the nameplates)."""
_LIMITS: Final = {channel.name: (channel.low, channel.high) for channel in BATTERY_CHANNELS}


def unit_fault(column: MeasuredColumn, values: Sequence[float | None]) -> str | None:
    """Return why the values of a column cannot have its unit, with the units that they may have; None if they can.

    The middle value is judged: single values that are far off are for the gateway to refuse or to raise an alert on.

    Parameters
    ----------
    values
        In the unit of the channel, shape (n,); None where a cell is empty.
    """
    measured = [value for value in values if value is not None]
    if not measured:
        return None
    middle = median_low(measured)
    if _is_plausible(column.channel, middle):
        return None
    written = _as_written(column.heading.unit, middle)
    likely = [
        f"{written:g} {unit.symbol} {'is' if quantity is not CONDUCTANCE else 'are'} {unit.convert(written):.4g} "
        f"{_own_symbol(column.channel)}"
        for quantity, unit in _other_units(column)
        if written and _is_plausible(column.channel, unit.convert(written))
    ]
    low, high = _LIMITS[column.channel]
    if not likely and low <= middle <= high:
        return None
    unit = column.heading.unit.symbol
    advice = f"; it may be another unit: {' or '.join(likely)}" if likely else ""
    return (
        f"{column.name}: the middle value is {written:g} {unit}, which no nameplate allows{advice}. Write the unit in "
        "the heading, or give --keep-units if it is right."
    )


def _is_plausible(channel: str, value: float) -> bool:
    low, high = _PLAUSIBLE[channel]
    return low <= (value if channel == "temperature_c" else abs(value)) <= high


def _other_units(column: MeasuredColumn) -> list[tuple[Quantity, Unit]]:
    return [
        (quantity, unit)
        for quantity in QUANTITIES
        if quantity.channel == column.channel
        for unit in units_of(quantity)
        if unit is not column.heading.unit
    ]


def _own_symbol(channel: str) -> str:
    own = next(quantity for quantity in QUANTITIES if quantity.channel == channel)
    return units_of(own)[0].symbol


def _as_written(unit: Unit, value: float) -> float:
    """Return a value in the unit of its heading: the conversions are linear, or a reciprocal of their own inverse."""
    if unit.description.startswith("conductance"):
        return unit.convert(value)
    offset = unit.convert(0.0)
    return (value - offset) / (unit.convert(1.0) - offset)
