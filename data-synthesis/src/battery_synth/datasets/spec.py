"""What a dataset is, before anything is made: checked arguments and a digest that tells two of them apart."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from battery_contracts.fleet import FleetRow
from battery_synth.engine.readings import Sampling
from battery_synth.life.policy import Caretaker, Policy, RunToFailure
from battery_synth.outside.scenario import Scenario

FORMAT_VERSION: Final = 1
FIRST, LAST = datetime(2011, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
Kind = Literal["reference", "fleet", "training", "drill"]
Format = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset: the same spec gives the same bytes, whoever makes it and with how many workers."""

    kind: Kind
    seed: int
    start: datetime
    end: datetime
    sampling: Sampling
    fleet: tuple[FleetRow, ...]
    file_format: Format = "parquet"
    with_samples_of_truth: bool = False
    with_sensor_faults: bool = False
    scenario: Scenario | None = None
    scenario_location: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be made.

        Raises
        ------
        ValueError
            There are no batteries, the span is empty, or it lies outside the reach of the climate.
        """
        if not self.fleet:
            raise ValueError("a dataset needs one battery at least; it was asked for none")
        if self.end <= self.start:
            days = (self.end - self.start) / timedelta(days=1)
            raise ValueError(f"a dataset of {days:g} days: it must be longer than 0")
        if self.start < FIRST or self.end > LAST:
            raise ValueError(f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}: the climate reaches from 2011 to 2048")

    @property
    def policy(self) -> Policy:
        """Who replaces jars: nobody before their end in a training set, a caretaker elsewhere."""
        return RunToFailure(self.seed) if self.kind == "training" else Caretaker(self.seed)

    def parts(self) -> "list[SitePart]":
        """Return the pieces of work, independent of each other and of who does them."""
        found = []
        for location in sorted({row.location_id for row in self.fleet}):
            rows = [row for row in self.fleet if row.location_id == location]
            found += [
                SitePart(replace(self, fleet=tuple(members)), location, number)
                for number, members in enumerate(_whole_systems(rows))
            ]
        return found

    def arguments(self) -> dict[str, Any]:
        """Return what the manifest says about how this was made."""
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
        """Return a name of exactly this spec, for resuming."""
        rows = [row.model_dump(mode="json") for row in self.fleet]
        content = json.dumps([FORMAT_VERSION, self.arguments(), rows, repr(self.scenario)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SitePart:
    """Some whole systems of one site: the unit of work."""

    spec: DatasetSpec
    location_id: str
    number: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.location_id}-{self.number:02d}"


_STRINGS_A_PART: Final = 12


def _whole_systems(rows: Sequence[FleetRow]) -> list[list[FleetRow]]:
    """Split a site's batteries into pieces of about a dozen strings; the strings of a system share a bus."""
    systems: dict[str, list[FleetRow]] = {}
    for row in sorted(rows, key=lambda row: row.battery_id):
        systems.setdefault(row.system_id, []).append(row)
    pieces: list[list[FleetRow]] = [[]]
    for members in systems.values():
        strings = len({row.string_id for row in [*pieces[-1], *members]})
        if pieces[-1] and strings > _STRINGS_A_PART:
            pieces.append([])
        pieces[-1] += members
    return pieces
