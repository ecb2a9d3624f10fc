"""The phases by name, in the order in which an operator's systems run them."""

from typing import Final

from battery_synth.phases import aggregates, calculated, operations, transactional
from battery_synth.phases.folder import Phase

PHASES: Final = {
    phase.name: phase
    for phase in (
        Phase(
            "transactional",
            ("string_telemetry", "discharge/string_telemetry"),
            transactional.make,
            "discharges, tests, ohmic measurements, outages, cooling faults, replacements",
        ),
        Phase("calculated", ("telemetry",), calculated.make, "every reading beside its string, room and baseline"),
        Phase("aggregates", ("telemetry",), aggregates.make, "hours and days with lowest, mean and highest"),
        Phase(
            "operations",
            ("telemetry", "telemetry_daily"),
            operations.make,
            "calendar, work orders and costs",
        ),
    )
}
