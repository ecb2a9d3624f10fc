"""What a line of the fleet file says of a battery, against the nameplate of its model and where it stands."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from battery_api.fleet.catalogue_file.problems import CellProblem
from battery_api.fleet.ohmic import BASELINE_FACTOR, is_credible_baseline
from battery_contracts.fleet import BATTERY_MODELS

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
    if model_id in BATTERY_MODELS and numbers.get("baseline_resistance_mohm", 1.0) <= 0:
        yield CellProblem(
            "baseline_resistance_mohm", "unit", "A resistance is above 0 mΩ; correct it or leave it empty."
        )
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


def unusable_baseline(numbers: Mapping[str, float], model_id: str) -> CellProblem | None:
    """Return why a baseline cannot be one of its model; the battery is imported without it."""
    model, value = BATTERY_MODELS.get(model_id), numbers.get("baseline_resistance_mohm")
    if model is None or value is None or value <= 0 or is_credible_baseline(value, model.nominal_resistance_mohm):
        return None
    nominal_mohm = model.nominal_resistance_mohm
    detail = f"{value:g} mΩ is not within a factor of {BASELINE_FACTOR:g} of the nominal {nominal_mohm:g} mΩ"
    detail += f" of {model.model_id}"
    units = _likely_units(value, nominal_mohm)
    detail += f"; it looks like {' or '.join(units)}" if units else ""
    detail += ". The battery is imported without a baseline and judged by the nominal value; write the baseline in mΩ."
    return CellProblem("baseline_resistance_mohm", "unit", detail)


def location_warnings(numbers: Mapping[str, float]) -> Iterator[CellProblem]:
    """Yield the coordinates that are outside Thailand."""
    for column, (low, high) in THAILAND.items():
        value = numbers.get(column)
        if value is not None and not low <= value <= high:
            detail = f"{value:g} is outside Thailand ({low:g} to {high:g}); check the coordinates of the location."
            yield CellProblem(column, "outside_thailand", detail)


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
