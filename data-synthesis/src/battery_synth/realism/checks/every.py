"""All checks that the given sets can answer."""

from collections.abc import Iterator
from typing import Final

from battery_synth.realism.checks.days import charger_checks, room_checks
from battery_synth.realism.checks.discharges import COLUMNS, discharge_checks
from battery_synth.realism.checks.lives import life_checks, population_checks
from battery_synth.realism.checks.readings import StringSamples, reading_checks
from battery_synth.realism.checks.result import Finding, NotChecked, RealismCheck
from battery_synth.realism.string_days import StringDays
from battery_synth.realism.survival import lives_of
from battery_synth.realism.tables import DatasetTables, population

NOT_HERE: Final = ("the twin's state of charge and capacity: see the twin's own report",)


def all_checks(data: DatasetTables | None, training: DatasetTables | None) -> tuple[list[RealismCheck], list[str]]:
    """Return the results of all checks that the folders can answer, and what was not checked."""
    found = list(_findings(data, training))
    results = [each for each in found if isinstance(each, RealismCheck)]
    missing = [each.reason for each in found if isinstance(each, NotChecked)]
    return results, [*NOT_HERE, *missing]


def _findings(data: DatasetTables | None, training: DatasetTables | None) -> Iterator[Finding]:
    if data is not None and data.has("telemetry"):
        yield from reading_checks(StringSamples.of(data))
    else:
        yield NotChecked("voltages and currents: no set of readings was given")
    if training is not None and training.has("telemetry_daily"):
        yield from population_checks(population(training))
        yield from life_checks(lives_of(training))
        days = StringDays.of(training)
        yield from charger_checks(days)
        yield from room_checks(days)
        yield from discharge_checks(training.read("discharge/string_telemetry", COLUMNS))
    else:
        yield NotChecked("service lives, rooms and the start of the generator: no training set was given")
