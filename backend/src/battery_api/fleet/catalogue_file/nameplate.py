"""What a line of the fleet file says of a battery, against the nameplate of its model and where it stands."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from battery_api.fleet.catalogue_file.problems import CellProblem
from battery_contracts.fleet import BATTERY_MODELS, BatteryModel

BASELINE_FACTOR: Final = 5.0
"""A baseline is within this factor of the model's nominal resistance (EJ): instruments, temperature and age together
change what is measured by a factor of 2 or 3, a wrong unit by 6 or more."""
BASELINE_TEMPERATURE_C: Final = (5.0, 50.0)
"""Range of a baseline's temperature (EJ): baselines are measured in battery rooms. Such a temperature in °F or K is
above it."""
THAILAND: Final = {"latitude": (5.5, 20.6), "longitude": (97.2, 105.8)}
"""Extremes of the country, rounded outwards, in degrees."""


def nameplate_errors(numbers: Mapping[str, float], model_id: str) -> Iterator[CellProblem]:
    """Yield the values that contradict the nameplate or, by their size, their unit.

    Parameters
    ----------
    numbers
        Values of the line by column, in the units of the columns; absent where a cell is empty or not a number.
    model_id
        Model of the battery; of an unknown one no resistance is judged.
    """
    model = BATTERY_MODELS.get(model_id)
    resistance_mohm = numbers.get("baseline_resistance_mohm")
    if resistance_mohm is not None and model is not None:
        yield from _resistance_errors(resistance_mohm, model)
    temperature_c = numbers.get("baseline_temperature_c")
    if temperature_c is not None:
        yield from _temperature_errors(temperature_c)
    power_kva = numbers.get("rated_power_kva")
    if power_kva is not None and power_kva > 10_000:
        advice = f"{power_kva:g} VA are {power_kva / 1000:g} kVA" if power_kva <= 10_000_000 else "write kVA"
        yield CellProblem("rated_power_kva", "unit", f"{power_kva:g} is above 10000 kVA; {advice}.")
    if _are_exchanged(numbers):
        detail = f"{numbers['latitude']:g} is a longitude of Thailand; exchange latitude and longitude."
        yield CellProblem("latitude", "exchanged", detail)


def nameplate_warnings(numbers: Mapping[str, float]) -> Iterator[CellProblem]:
    """Yield what is possible but leaves a battery without a judgement."""
    if "baseline_resistance_mohm" in numbers and "baseline_temperature_c" not in numbers:
        yield CellProblem(
            "baseline_temperature_c",
            "baseline_unused",
            "The baseline has no temperature: its resistance drift is not computed and raises no alert; "
            "write the temperature of the measurement in °C.",
        )
    if "baseline_temperature_c" in numbers and "baseline_resistance_mohm" not in numbers:
        yield CellProblem(
            "baseline_resistance_mohm",
            "baseline_unused",
            "The baseline has a temperature but no resistance: the resistance drift is not computed and raises no "
            "alert; write the resistance in mΩ.",
        )


def location_warnings(numbers: Mapping[str, float]) -> Iterator[CellProblem]:
    """Yield the coordinates that are outside Thailand."""
    for column, (low, high) in THAILAND.items():
        value = numbers.get(column)
        if value is not None and not low <= value <= high:
            detail = f"{value:g} is outside Thailand ({low:g} to {high:g}); check the coordinates of the location."
            yield CellProblem(column, "outside_thailand", detail)


def _resistance_errors(value: float, model: BatteryModel) -> Iterator[CellProblem]:
    nominal_mohm = model.nominal_resistance_mohm
    if nominal_mohm / BASELINE_FACTOR <= value <= nominal_mohm * BASELINE_FACTOR:
        return
    detail = f"{value:g} mΩ is not within a factor of {BASELINE_FACTOR:g} of the nominal {nominal_mohm:g} mΩ"
    detail += f" of {model.model_id}"
    units = _likely_units(value, nominal_mohm) if value > 0 else []
    detail += f"; it looks like {' or '.join(units)}" if units else ""
    yield CellProblem(
        "baseline_resistance_mohm", "unit", f"{detail}. Write mΩ, or leave the cell empty if the value is unknown."
    )


def _likely_units(value: float, nominal_mohm: float) -> list[str]:
    """Return the units in which a positive value is near the nominal resistance, nearest first."""
    in_mohm = {
        "S": 1e3 / value,
        "mS": 1e6 / value,
        "µS": 1e9 / value,
        "Ω": value * 1e3,
        "µΩ": value / 1e3,
    }
    distances = {unit: abs(math.log(mohm / nominal_mohm)) for unit, mohm in in_mohm.items()}
    near = [unit for unit in distances if distances[unit] <= math.log(BASELINE_FACTOR)]
    return [f"{unit} ({in_mohm[unit]:.3g} mΩ)" for unit in sorted(near, key=distances.__getitem__)]


def _temperature_errors(value: float) -> Iterator[CellProblem]:
    low, high = BASELINE_TEMPERATURE_C
    if low <= value <= high:
        return
    units = {"°F": (value - 32) / 1.8, "K": value - 273.15}
    likely = [
        f"{unit} ({celsius:.1f} °C)" for unit, celsius in units.items() if value > high and low <= celsius <= high
    ]
    detail = f"{value:g} °C is outside {low:g} to {high:g} °C"
    detail += f"; it looks like {' or '.join(likely)}" if likely else ""
    yield CellProblem("baseline_temperature_c", "unit", f"{detail}. Write the temperature of the measurement in °C.")


def _are_exchanged(numbers: Mapping[str, float]) -> bool:
    if "latitude" not in numbers or "longitude" not in numbers:
        return False
    exchanged = {"latitude": numbers["longitude"], "longitude": numbers["latitude"]}
    return all(low <= exchanged[column] <= high for column, (low, high) in THAILAND.items())
