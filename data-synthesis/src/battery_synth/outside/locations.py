"""The nine data centres and the layout of their systems and strings."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from battery_contracts.enums import SystemKind


@dataclass(frozen=True, slots=True)
class LocationProfile:
    """A data centre; ``hvac_quality`` is 0 for a room that drifts and fails, 1 for a well-kept one."""

    code: str
    name: str
    region: str
    latitude: float
    longitude: float
    altitude_m: float
    commissioned_on: date
    utility: str
    climate_zone: str
    hvac_quality: float


LOCATIONS: Final = (
    LocationProfile(
        "DC-BKK-01", "Bangrak, Bangkok", "central", 13.7248, 100.5310, 5, date(2016, 11, 10), "MEA", "C", 0.6
    ),
    LocationProfile(
        "DC-BKK-02", "Phrakhanong, Bangkok", "central", 13.7051, 100.6040, 5, date(2020, 2, 15), "MEA", "C", 0.9
    ),
    LocationProfile("DC-CNX-01", "Chiang Mai", "northern", 18.7883, 98.9853, 310, date(2018, 3, 15), "PEA", "N", 0.9),
    LocationProfile("DC-HDY-01", "Hat Yai", "southern", 7.0061, 100.4667, 20, date(2021, 3, 15), "PEA", "S-Gulf", 0.5),
    LocationProfile(
        "DC-KKN-01", "Khon Kaen", "northeastern", 16.4322, 102.8236, 165, date(2019, 7, 1), "PEA", "NE", 0.6
    ),
    LocationProfile("DC-NTB-01", "Nonthaburi", "central", 13.8598, 100.5254, 5, date(2017, 1, 20), "MEA", "C", 0.8),
    LocationProfile("DC-PKT-01", "Phuket", "southern", 7.8804, 98.3923, 20, date(2018, 12, 1), "PEA", "S-Andaman", 0.4),
    LocationProfile("DC-SRC-01", "Sriracha", "eastern", 13.1664, 100.9308, 10, date(2019, 5, 20), "PEA", "E", 0.3),
    LocationProfile(
        "DC-URT-01", "Surat Thani", "southern", 9.1355, 99.3331, 20, date(2020, 8, 1), "PEA", "S-Gulf", 0.7
    ),
)
LOCATION_BY_CODE: Final = {location.code: location for location in LOCATIONS}
BATTERIES_PER_STRING: Final = 24
UPS_KVA_PER_STRING: Final = 200.0 / 6.0
RECTIFIER_KVA_PER_STRING: Final = 5.0
"""Rating of a system over its strings: C/8 to C/20 at the loads of `load.RECTIFIER_FACTOR` (engineering judgement)."""


@dataclass(frozen=True, slots=True)
class SystemLayout:
    """A system of a location: what it feeds, its rating and its number of strings."""

    kind: SystemKind
    prefix: str
    number: int
    rated_power_kva: float
    strings: int


def layout_of(location: LocationProfile) -> tuple[SystemLayout, ...]:
    """Return a location's systems: 9 strings each, on one UPS, or on two at the central locations.

    The ratings keep about 74 A per string of a UPS at 65 % load with six strings (200 kVA) and with three (100 kVA),
    and 6 to 15 A per string of a rectifier, whose batteries are meant to last for hours.
    """
    rectifier = SystemLayout(SystemKind.RECTIFIER, "REC", 1, 3 * RECTIFIER_KVA_PER_STRING, 3)
    if location.region == "central":
        return (
            rectifier,
            SystemLayout(SystemKind.UPS, "UPS", 1, 100.0, 3),
            SystemLayout(SystemKind.UPS, "UPS", 2, 100.0, 3),
        )
    return (rectifier, SystemLayout(SystemKind.UPS, "UPS", 1, 200.0, 6))
