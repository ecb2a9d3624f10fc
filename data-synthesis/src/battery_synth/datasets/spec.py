"""Specification of a dataset: checked arguments and a digest that distinguishes any two of them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from battery_contracts.fleet import FLEET_COLUMNS, FleetRow
from battery_synth.life.policy import PlannedMaintenance, Policy, RunToFailure
from battery_synth.outside.grid import DischargeSpan
from battery_synth.outside.scenario import Scenario
from battery_synth.state.readings import Sampling

FORMAT_VERSION: Final = 1
FIRST, LAST = datetime(2011, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
DatasetKind = Literal["reference", "fleet", "training", "drill"]
FileFormat = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset: the same spec gives the same bytes, on any machine of one kind and with any number of workers."""

    kind: DatasetKind
    seed: int
    start: datetime
    end: datetime
    sampling: Sampling
    fleet: tuple[FleetRow, ...]
    file_format: FileFormat = "parquet"
    with_samples_of_truth: bool = False
    with_sensor_faults: bool = False
    scenario: Scenario | None = None
    scenario_location: str | None = None

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises
        ------
        ValueError
            There are no batteries, the span is empty, or it lies outside the reach of the climate.
        """
        if not self.fleet:
            raise ValueError("a dataset needs at least one battery; this one has none")
        if self.end <= self.start:
            days = (self.end - self.start) / timedelta(days=1)
            raise ValueError(f"a dataset of {days:g} days: it must be longer than 0")
        if self.start < FIRST or self.end > LAST:
            raise ValueError(f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}: the climate covers 2011 to 2048")

    @property
    def policy(self) -> Policy:
        """The replacement policy: run to failure in a training set, planned maintenance elsewhere."""
        return RunToFailure(self.seed) if self.kind == "training" else PlannedMaintenance(self.seed)

    def parts(self) -> "list[LocationPart]":
        """Return the units of work, which are independent of each other and of where they run."""
        parts = []
        for location in sorted({row.location_id for row in self.fleet}):
            rows = [row for row in self.fleet if row.location_id == location]
            parts += [
                LocationPart(replace(self, fleet=tuple(members)), location, number)
                for number, members in enumerate(_whole_systems(rows))
            ]
        return parts

    def arguments(self) -> dict[str, Any]:
        """Return the manifest's account of how the dataset was made."""
        return {
            "kind": self.kind,
            "seed": self.seed,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "every_s": self.sampling.every_s,
            "detail": self.sampling.detail,
            "batteries": len(self.fleet),
            "file_format": self.file_format,
            "sensor_faults": self.with_sensor_faults,
            "scenario": None if self.scenario is None else self.scenario.name,
        }

    def digest(self) -> str:
        """Return a hash of exactly this spec, for resuming."""
        rows = [row.model_dump(mode="json", include=set(FLEET_COLUMNS)) for row in self.fleet]
        # Digests spell this class by its first name, so that renaming it does not invalidate existing manifests.
        scenario = repr(self.scenario).replace(f"{DischargeSpan.__name__}(", "Discharge(")
        content = json.dumps([FORMAT_VERSION, self.arguments(), rows, scenario], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LocationPart:
    """Some whole systems of one location: the unit of work."""

    spec: DatasetSpec
    location_id: str
    number: int

    @property
    def name(self) -> str:
        """The stem of its file names."""
        return f"{self.location_id}-{self.number:02d}"


_STRINGS_PER_PART: Final = 12


def _whole_systems(rows: Sequence[FleetRow]) -> list[list[FleetRow]]:
    """Split a location's batteries into parts of about a dozen strings; the strings of a system share a bus."""
    systems: dict[str, list[FleetRow]] = {}
    for row in sorted(rows, key=lambda row: row.battery_id):
        systems.setdefault(row.system_id, []).append(row)
    parts: list[list[FleetRow]] = [[]]
    for members in systems.values():
        strings = len({row.string_id for row in [*parts[-1], *members]})
        if parts[-1] and strings > _STRINGS_PER_PART:
            parts.append([])
        parts[-1] += members
    return parts
