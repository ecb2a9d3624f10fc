"""Headings of measured columns: the names and units that are understood, and what makes them values of a channel.

The table is fixed: a heading is a name and a unit of it (``Voltage (mV)``, ``voltage_mv``, ``Volt [mV]``), or it is
unknown. Units are case-sensitive where case is a factor: mΩ is a thousandth, MΩ a million.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit and how its values become those of the channel."""

    symbol: str
    description: str
    """How the value was converted; empty for the channel's own unit."""
    convert: Callable[[float], float]
    """Returns the value in the unit of the channel; raises ZeroDivisionError for a conductance of 0."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a column measures: its names, and its units by their spellings."""

    channel: str
    names: tuple[str, ...]
    units: Mapping[str, Unit]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that is understood."""

    quantity: Quantity
    unit: Unit


def _own(symbol: str) -> Unit:
    return Unit(symbol, "", lambda value: value)


def _divided(symbol: str, by: int) -> Unit:
    return Unit(symbol, f"divided by {by}", lambda value: value / by)


def _multiplied(symbol: str, by: int) -> Unit:
    return Unit(symbol, f"multiplied by {by}", lambda value: round(value * by, 9))


def _conductance(symbol: str, per_siemens: int) -> Unit:
    by = 1000 * per_siemens
    return Unit(symbol, f"conductance converted: {by}/value", lambda value: round(by / value, 9))


def _spelled(*spellings: tuple[Unit, tuple[str, ...]]) -> dict[str, Unit]:
    return {_unit_key(spelling): unit for unit, listed in spellings for spelling in listed}


def _unit_key(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def _name_key(text: str) -> str:
    return re.sub(r"[\s_.-]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


VOLTAGE: Final = Quantity(
    "voltage_v",
    (
        *("voltage", "volt", "volts", "v", "u", "battery voltage", "block voltage", "terminal voltage"),
        *("แรงดัน", "แรงดันไฟฟ้า", "แรงดันแบตเตอรี่", "โวลต์"),
    ),
    _spelled(
        (_own("V"), ("V", "v", "volt", "Volt", "volts", "Volts", "โวลต์")),
        (_divided("mV", 1000), ("mV", "mv", "millivolt", "millivolts")),
    ),
)
CURRENT: Final = Quantity(
    "current_a",
    ("current", "i", "battery current", "กระแส", "กระแสไฟฟ้า"),
    _spelled(
        (_own("A"), ("A", "a", "amp", "Amp", "amps", "Amps", "ampere", "Ampere", "แอมป์", "แอมแปร์")),
        (_divided("mA", 1000), ("mA", "ma", "milliamp", "milliampere")),
    ),
)
TEMPERATURE: Final = Quantity(
    "temperature_c",
    ("temperature", "temp", "t", "battery temperature", "battery temp", "case temperature", "อุณหภูมิ", "อุณหภูมิแบตเตอรี่"),
    _spelled(
        (_own("°C"), ("°C", "°c", "C", "c", "degC", "degc", "deg C", "ºC", "celsius", "Celsius", "องศาเซลเซียส")),
        (
            Unit("°F", "converted", lambda value: round((value - 32) / 1.8, 9)),
            ("°F", "°f", "F", "f", "degF", "degf", "deg F", "ºF", "fahrenheit", "Fahrenheit"),
        ),
        (Unit("K", "minus 273.15", lambda value: round(value - 273.15, 9)), ("K", "k", "kelvin", "Kelvin")),
    ),
)
RESISTANCE: Final = Quantity(
    "internal_resistance_mohm",
    ("internal resistance", "resistance", "r", "ri", "ir", "impedance", "ความต้านทาน", "ความต้านทานภายใน"),
    _spelled(
        (_own("mΩ"), ("mΩ", "mOhm", "mohm", "mOhms", "mohms", "milliohm", "milliohms", "มิลลิโอห์ม")),
        (
            _divided("µΩ", 1000),
            ("µΩ", "µOhm", "µohm", "uΩ", "uOhm", "uohm", "microohm", "microohms", "micro-ohm", "ไมโครโอห์ม"),
        ),
        (_multiplied("Ω", 1000), ("Ω", "Ohm", "ohm", "Ohms", "ohms", "โอห์ม")),
    ),
)
CONDUCTANCE: Final = Quantity(
    "internal_resistance_mohm",
    ("conductance", "g", "ความนำไฟฟ้า"),
    _spelled(
        (_conductance("S", 1), ("S", "s", "siemens", "Siemens", "mho", "mhos", "ซีเมนส์")),
        (_conductance("mS", 1000), ("mS", "ms", "millisiemens")),
    ),
)
QUANTITIES: Final = (VOLTAGE, CURRENT, TEMPERATURE, RESISTANCE, CONDUCTANCE)
_BY_NAME: Final = {_name_key(name): quantity for quantity in QUANTITIES for name in quantity.names}
_BRACKETED: Final = re.compile(r"(.+?)\s*[(\[{]\s*(.+?)\s*[)\]}]")
_APPENDED: Final = re.compile(r"(.+?)(?:\s*[,/]\s*|[_\s]+)(\S+|deg [CF])")


def heading_of(name: str) -> Heading | None:
    """Return what a heading says, None if it is unknown or names no unit."""
    named = named_quantity(name)
    if named is None:
        return None
    quantity, unit_text = named
    unit = quantity.units.get(unit_text)
    return None if unit is None else Heading(quantity, unit)


def named_quantity(name: str) -> tuple[Quantity, str] | None:
    """Return the quantity that a heading names, and the text that stands in the place of its unit ("" if none does)."""
    for pattern in (_BRACKETED, _APPENDED):
        found = pattern.fullmatch(name)
        quantity = found and _BY_NAME.get(_name_key(found[1]))
        if found and quantity:
            return quantity, _unit_key(found[2])
    alone = _BY_NAME.get(_name_key(name))
    return None if alone is None else (alone, "")


def symbols(quantity: Quantity) -> list[str]:
    """Return the units of a quantity, the channel's own first."""
    return list(dict.fromkeys(unit.symbol for unit in quantity.units.values()))


def units_of(quantity: Quantity) -> list[Unit]:
    """Return every unit of a quantity once."""
    return list({unit.symbol: unit for unit in quantity.units.values()}.values())
