"""The live world of the fleet: every site's plant on one clock, moving on in time and seen through sensors."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.engine.readings import HVAC_STATES, MODES, Readings
from battery_synth.engine.strings import DISCHARGE, RECHARGE, TEST
from battery_synth.life.policy import Unattended
from battery_synth.observation import Observation, SiteObservation
from battery_synth.storage.arrays_json import decoded, encoded

__all__ = ["Observation", "SiteObservation", "World"]

CHECKPOINT_VERSION: Final = 3
_FIRST, _LAST = datetime(2011, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)


class World:
    """The fleet at an instant; `advance` moves it on, `observe` looks at it."""

    def __init__(self, seed: int, plants: Sequence[Plant], at: datetime) -> None:
        self.seed = seed
        self.time = at
        self.plants = list(plants)
        """One a site, in the order of their codes."""
        self._place = {
            string: (number, position)
            for number, plant in enumerate(self.plants)
            for position, string in enumerate(plant.layout.string_ids)
        }
        self.string_ids = [string for plant in self.plants for string in plant.layout.string_ids]
        """Strings by site and number."""
        self.battery_ids = [battery for plant in self.plants for battery in plant.layout.battery_ids]
        self.location_ids = [plant.layout.site.code for plant in self.plants]

    @classmethod
    def create(cls, fleet: Sequence[FleetRow], *, seed: int, start: datetime) -> "World":
        """Build the world settled on float at ``start``.

        Raises
        ------
        ValueError
            The fleet is empty or uneven, a site is unknown, or the time lies outside 2011 to 2048.
        """
        if not fleet:
            raise ValueError("the fleet has no batteries")
        at = _within_reach(start)
        plants = [
            Plant(seed, rows, start_s=at.timestamp(), policy=Unattended()) for rows in by_location(fleet).values()
        ]
        return cls(seed, plants, at)

    @property
    def fingerprint(self) -> str:
        """A short name of this very set of batteries."""
        return hashlib.sha256("\n".join(self.battery_ids).encode()).hexdigest()[:16]

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Move on to an instant; steps are fine while a string works hard and coarse on float."""
        to = _within_reach(to)
        if to < self.time:
            raise ValueError(f"time runs forward: the world is at {self.time.isoformat()}")
        for plant in self.plants:
            plant.advance(to.timestamp())
        self.time = to

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends somewhere; the end of the day at the latest."""
        return min(datetime.fromtimestamp(plant.next_edge_s(at.timestamp()), UTC) for plant in self.plants)

    def discharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that feed the load now."""
        return self._in_mode((DISCHARGE, TEST), string_ids)

    def recharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that take more than their float current now."""
        return self._in_mode((RECHARGE,), string_ids)

    # -- looking ------------------------------------------------------------------------------------------------

    def observe(self, string_ids: Sequence[str], *, ohmic: frozenset[str] = frozenset()) -> Observation:
        """Read the sensors of strings now; ``ohmic`` names the strings whose blocks' resistance is measured too.

        A monitor measures resistance on float only: a string that works has none, whoever asks.
        """
        parts = []
        for number, wanted in groupby(string_ids, key=lambda string: self._place[string][0]):
            plant, strings = self.plants[number], list(wanted)
            asked = np.array([string in ohmic for string in plant.layout.string_ids])
            rows = np.array([self._place[string][1] for string in strings])
            parts.append((strings, plant.layout.battery_ids_of(rows), plant.look(asked).at_rows(rows)))
        return _observation(self.time, parts)

    def observe_sites(self, location_ids: Sequence[str] | None = None) -> SiteObservation:
        """Read the site sensors now."""
        wanted = self.location_ids if location_ids is None else list(location_ids)
        plants = [self.plants[self.location_ids.index(location)] for location in wanted]
        looks = [plant.look(np.zeros(len(plant.layout.string_ids), bool)) for plant in plants]
        return SiteObservation(
            time=self.time,
            location_id=list(wanted),
            ambient_c=np.array([look.ambient_c[0] for look in looks], np.float64),
            humidity_pct=np.array([look.humidity_pct[0] for look in looks], np.float64),
            hvac=[HVAC_STATES[int(look.hvac[0])] for look in looks],
            mains=[bool(look.mains[0]) for look in looks],
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
        """Return a checkpoint; `load` with the same fleet goes on exactly from here."""
        saved = {plant.layout.site.code: encoded(plant.saved()) for plant in self.plants}
        header = {"version": CHECKPOINT_VERSION, "seed": self.seed, "time": self.time.isoformat()}
        return json.dumps({**header, "fleet": self.fingerprint, "sites": saved}).encode()

    @classmethod
    def load(cls, data: bytes, fleet: Sequence[FleetRow]) -> "World":
        """Rebuild the world of a checkpoint.

        Raises
        ------
        ValueError
            The bytes are no checkpoint of this version, or of another fleet.
        """
        content = _checkpoint(data)
        try:
            at, seed = datetime.fromisoformat(content["time"]), int(content["seed"])
            saved = {str(site): decoded(state) for site, state in content["sites"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError("not a checkpoint of the world") from error
        rows = by_location(fleet)
        if content.get("fleet") != _fingerprint(rows) or set(rows) != set(saved):
            raise ValueError("the checkpoint is of another fleet")
        try:
            plants = [
                Plant(seed, members, start_s=at.timestamp(), policy=Unattended(), saved=saved[site])
                for site, members in rows.items()
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a checkpoint of the world") from error
        return cls(seed, plants, _within_reach(at))

    def _in_mode(self, modes: tuple[int, ...], string_ids: Iterable[str] | None) -> frozenset[str]:
        found = frozenset(
            plant.layout.string_ids[i] for plant in self.plants for i in np.flatnonzero(np.isin(plant.modes(), modes))
        )
        return found if string_ids is None else found & frozenset(string_ids)


def by_location(fleet: Sequence[FleetRow]) -> dict[str, list[FleetRow]]:
    """Return the rows of each location, both in the order of their ids."""
    found: dict[str, list[FleetRow]] = {}
    for row in sorted(fleet, key=lambda row: row.battery_id):
        found.setdefault(row.location_id, []).append(row)
    return dict(sorted(found.items()))


def _fingerprint(rows: dict[str, list[FleetRow]]) -> str:
    ids = [row.battery_id for members in rows.values() for row in members]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]


def _observation(at: datetime, parts: list[tuple[list[str], list[str], Readings]]) -> Observation:
    """Join what the sites' sensors say."""

    def block(name: str) -> npt.NDArray[np.float64]:
        # Back to the decimals of the sensors, which single precision blurs.
        joined = np.concatenate([getattr(seen, name).ravel() for _, _, seen in parts]).astype(np.float64)
        return np.round(joined, 3)

    current = block("current_a")
    modes = np.concatenate([seen.mode for _, _, seen in parts])
    return Observation(
        time=at,
        battery_id=[battery for _, batteries, _ in parts for battery in batteries],
        voltage_v=block("voltage_v"),
        current_a=np.repeat(current, [len(seen.voltage_v[0]) for _, _, seen in parts for _ in range(len(seen))]),
        temperature_c=block("temperature_c"),
        internal_resistance_mohm=block("internal_resistance_mohm"),
        string_id=[string for strings, _, _ in parts for string in strings],
        string_voltage_v=block("string_voltage_v"),
        string_current_a=current,
        float_current_ma=block("float_current_ma"),
        ripple_voltage_v=block("ripple_voltage_v"),
        ripple_current_a=block("ripple_current_a"),
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


def _within_reach(at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        raise ValueError(f"{at.isoformat()} lies outside {_FIRST:%Y} to {_LAST:%Y}, the reach of the climate")
    return at.astimezone(UTC)
