"""The live world of the fleet: the plant of each location on one clock, advanced in time and read through sensors."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.engine.strings import DISCHARGE, RECHARGE, TEST
from battery_synth.life.policy import Unattended
from battery_synth.observation import LocationObservation, Observation
from battery_synth.outside.campaign import Campaign
from battery_synth.state.readings import HVAC_STATES, MODES, SimulatedReadings
from battery_synth.storage.arrays_json import decoded, encoded

__all__ = ["LocationObservation", "Observation", "World"]

CHECKPOINT_VERSION: Final = 3
_FIRST, _LAST = datetime(2011, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)


class World:
    """The fleet at an instant: `advance` moves it forward in time, `observe` reads its sensors."""

    def __init__(self, seed: int, plants: Sequence[Plant], time: datetime, campaign: Campaign | None = None) -> None:
        self.seed = seed
        self.time = time
        self.campaign = campaign
        self.plants = list(plants)
        """One per location, in the order of their codes."""
        self._position_of = {
            string: (number, position)
            for number, plant in enumerate(self.plants)
            for position, string in enumerate(plant.layout.string_ids)
        }
        self.string_ids = [string for plant in self.plants for string in plant.layout.string_ids]
        """Strings by location and number."""
        self.battery_ids = [battery for plant in self.plants for battery in plant.layout.battery_ids]
        self.location_ids = [plant.layout.location.code for plant in self.plants]

    @classmethod
    def create(
        cls, fleet: Sequence[FleetRow], *, seed: int, start: datetime, campaign: Campaign | None = None
    ) -> "World":
        """Build the world settled on float at ``start``; a campaign has its capacity tests at every location.

        Raises
        ------
        ValueError
            The fleet is empty or uneven, a location is unknown, or the time lies outside 2011 to 2048.
        """
        if not fleet:
            raise ValueError("the fleet has no batteries")
        start = _in_climate_range(start)
        plants = [
            Plant(seed, rows, start_s=start.timestamp(), policy=Unattended(), campaign=campaign)
            for rows in by_location(fleet).values()
        ]
        return cls(seed, plants, start, campaign)

    @property
    def fingerprint(self) -> str:
        """A short name of exactly this set of batteries."""
        return hashlib.sha256("\n".join(self.battery_ids).encode()).hexdigest()[:16]

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Advance to an instant, in fine steps while a string works hard and in coarse ones on float.

        Raises
        ------
        ValueError
            The instant lies before the world's time or outside 2011 to 2048.
        """
        to = _in_climate_range(to)
        if to < self.time:
            raise ValueError(f"time runs forward: the world is at {self.time.isoformat()}")
        for plant in self.plants:
            plant.advance(to.timestamp())
        self.time = to

    def next_change_after(self, time: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends at any location; at most the end of the day."""
        return min(datetime.fromtimestamp(plant.next_edge_s(time.timestamp()), UTC) for plant in self.plants)

    def discharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that feed the load now, of the given ones if any are given."""
        return self._in_mode((DISCHARGE, TEST), string_ids)

    def recharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that draw more than their float current now, of the given ones if any are given."""
        return self._in_mode((RECHARGE,), string_ids)

    # -- reading the sensors ------------------------------------------------------------------------------------

    def observe(self, string_ids: Sequence[str], *, ohmic: frozenset[str] = frozenset()) -> Observation:
        """Read the sensors of strings now; ``ohmic`` names the strings whose block resistances are measured too.

        A monitor measures resistance on float only: the resistance of a string that works stays NaN.
        """
        parts = []
        for number, group in groupby(string_ids, key=lambda string: self._position_of[string][0]):
            plant, strings = self.plants[number], list(group)
            is_ohmic = np.array([string in ohmic for string in plant.layout.string_ids])
            rows = np.array([self._position_of[string][1] for string in strings])
            parts.append((strings, plant.layout.battery_ids_of(rows), plant.read_sensors(is_ohmic).at_rows(rows)))
        return _observation(self.time, parts)

    def observe_locations(self, location_ids: Sequence[str] | None = None) -> LocationObservation:
        """Read the room and mains sensors of locations now; of all of them by default."""
        codes = self.location_ids if location_ids is None else list(location_ids)
        plants = [self.plants[self.location_ids.index(code)] for code in codes]
        readings = [plant.read_sensors(np.zeros(len(plant.layout.string_ids), bool)) for plant in plants]
        return LocationObservation(
            time=self.time,
            location_id=list(codes),
            ambient_c=np.array([each.ambient_c[0] for each in readings], np.float64),
            humidity_pct=np.array([each.humidity_pct[0] for each in readings], np.float64),
            hvac=[HVAC_STATES[int(each.hvac[0])] for each in readings],
            mains=[bool(each.mains[0]) for each in readings],
        )

    def ohmic_due(self, since: datetime, until: datetime) -> frozenset[str]:
        """Return the strings whose daily resistance measurement falls into (since, until]; strings take turns."""
        return frozenset(
            plant.layout.string_ids[i]
            for plant in self.plants
            for i in np.flatnonzero(plant.ohmic_due(since.timestamp(), until.timestamp()))
        )

    # -- checkpoint ---------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return a checkpoint from which `load` with the same fleet continues exactly."""
        saved = {plant.layout.location.code: encoded(plant.saved()) for plant in self.plants}
        header = {"version": CHECKPOINT_VERSION, "seed": self.seed, "time": self.time.isoformat()}
        campaign = None if self.campaign is None else asdict(self.campaign)
        return json.dumps({**header, "campaign": campaign, "fleet": self.fingerprint, "sites": saved}).encode()

    @classmethod
    def load(cls, data: bytes, fleet: Sequence[FleetRow]) -> "World":
        """Rebuild the world from a checkpoint.

        Raises
        ------
        ValueError
            The bytes are not a checkpoint of this version, or belong to another fleet.
        """
        content = _checkpoint(data)
        try:
            time, seed = datetime.fromisoformat(content["time"]), int(content["seed"])
            saved = {str(code): decoded(state) for code, state in content["sites"].items()}
            campaign = _campaign(content.get("campaign"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError("not a checkpoint of the world") from error
        rows = by_location(fleet)
        if content.get("fleet") != _fingerprint(rows) or set(rows) != set(saved):
            raise ValueError("the checkpoint belongs to another fleet")
        try:
            start_s = time.timestamp()
            plants = [
                Plant(seed, members, start_s=start_s, policy=Unattended(), campaign=campaign, saved=saved[code])
                for code, members in rows.items()
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a checkpoint of the world") from error
        return cls(seed, plants, _in_climate_range(time), campaign)

    def _in_mode(self, modes: tuple[int, ...], string_ids: Iterable[str] | None) -> frozenset[str]:
        matching = frozenset(
            plant.layout.string_ids[i] for plant in self.plants for i in np.flatnonzero(np.isin(plant.modes(), modes))
        )
        return matching if string_ids is None else matching & frozenset(string_ids)


def by_location(fleet: Sequence[FleetRow]) -> dict[str, list[FleetRow]]:
    """Return the rows of each location; locations and rows are in the order of their ids."""
    rows_of: dict[str, list[FleetRow]] = {}
    for row in sorted(fleet, key=lambda row: row.battery_id):
        rows_of.setdefault(row.location_id, []).append(row)
    return dict(sorted(rows_of.items()))


def _fingerprint(rows: dict[str, list[FleetRow]]) -> str:
    ids = [row.battery_id for members in rows.values() for row in members]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]


def _observation(time: datetime, parts: list[tuple[list[str], list[str], SimulatedReadings]]) -> Observation:
    """Join the readings of several locations."""

    def joined(name: str) -> npt.NDArray[np.float64]:
        # Round to the sensors' decimals, which single precision blurs.
        values = np.concatenate([getattr(readings, name).ravel() for _, _, readings in parts]).astype(np.float64)
        return np.round(values, 3)

    current = joined("current_a")
    modes = np.concatenate([readings.mode for _, _, readings in parts])
    return Observation(
        time=time,
        battery_id=[battery for _, batteries, _ in parts for battery in batteries],
        voltage_v=joined("voltage_v"),
        current_a=np.repeat(current, [len(each.voltage_v[0]) for _, _, each in parts for _ in range(len(each))]),
        temperature_c=joined("temperature_c"),
        internal_resistance_mohm=joined("internal_resistance_mohm"),
        string_id=[string for strings, _, _ in parts for string in strings],
        string_voltage_v=joined("string_voltage_v"),
        string_current_a=current,
        float_current_ma=joined("float_current_ma"),
        ripple_voltage_v=joined("ripple_voltage_v"),
        ripple_current_a=joined("ripple_current_a"),
        mode=[MODES[mode] for mode in modes.tolist()],
    )


def _checkpoint(data: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(data)
        version = content["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("not a checkpoint of the world") from error
    if version != CHECKPOINT_VERSION:
        raise ValueError(f"checkpoint version {version}, this code reads {CHECKPOINT_VERSION}")
    return content


def _campaign(saved: dict[str, float] | None) -> Campaign | None:
    """Return the campaign of a checkpoint; older ones have none."""
    return None if saved is None else Campaign(float(saved["start_s"]), float(saved["end_s"]))


def _in_climate_range(time: datetime) -> datetime:
    if not _FIRST <= time < _LAST:
        raise ValueError(f"{time.isoformat()} lies outside {_FIRST:%Y} to {_LAST:%Y}, the range of the climate")
    return time.astimezone(UTC)
