"""The world of the fleet: climate, rooms, grid, strings and blocks, moving on in time and seen through sensors.

What happens from outside is a function of seed, site and time; only temperatures, charge and wear are integrated. All
batteries move together in arrays: (n,) over blocks, (g,) over strings, (s,) over sites.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.enums import HvacState, StringMode
from battery_contracts.fleet import FleetRow
from battery_synth import ageing, heat, load, rooms, strings
from battery_synth.blocks import Blocks
from battery_synth.grid import DischargeEvent, GridSchedule
from battery_synth.layout import FleetLayout
from battery_synth.observation import Observation, SiteObservation
from battery_synth.sensors import BlockSensors, StringSensors
from battery_synth.sites import SITE_BY_CODE
from battery_synth.state import Checkpoint, State
from battery_synth.strings import Demand, Flow

__all__ = ["Observation", "SiteObservation", "World"]

FloatArray = npt.NDArray[np.float64]

_FIRST, _LAST = datetime(2011, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
_DISCHARGE_STEP_S: Final = 5.0
_SURFACE_STEP_S: Final = 5.0
_RECHARGE_STEP_S: Final = 600.0
_FLOAT_STEP_S: Final = 3600.0
_RECHARGED_AH: Final = 0.01
_RIPPLE_FLOOR_A, _RIPPLE_SHARE = 0.8, 0.004
_RIPPLE_OHM: Final = 0.084
"""Resistance of 24 blocks in series, over which the ripple current shows as ripple voltage."""
_OHMIC_EVERY_S: Final = 86_400.0


class World:
    """The fleet at an instant; `advance` moves it on, `observe` looks at it."""

    def __init__(self, fleet: Sequence[FleetRow], *, seed: int, start: datetime, state: State | None = None) -> None:
        rows = sorted(fleet, key=lambda row: row.battery_id)
        self.seed = seed
        self.time = _within_reach(start)
        self._layout = FleetLayout.of(rows)
        self._blocks = Blocks.of(seed, rows, self._layout.width)
        sites = [SITE_BY_CODE[location] for location in self._layout.location_ids]
        self._rooms = [rooms.Room(seed, site) for site in sites]
        self._grids = [GridSchedule(seed, site, self._layout.strings_of(site.code)) for site in sites]
        self._block_sensors = BlockSensors.of(seed, self._layout.battery_ids)
        self._string_sensors = StringSensors.of(seed, self._layout.string_ids)
        self._system_w = np.bincount(
            self._layout.system_of_string, load.battery_power_w(self._layout.rated_kva_per_string)
        )
        settled = self._settled()
        if state is not None and not state.fits(settled):
            raise ValueError("the checkpoint is of another fleet")
        self._state = state or settled
        self._demand_until = self.time
        self._demand = self._no_demand()
        self._flow: Flow | None = None

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
        return cls(fleet, seed=seed, start=start)

    @property
    def battery_ids(self) -> list[str]:
        """Batteries in the order of the arrays."""
        return self._layout.battery_ids

    @property
    def string_ids(self) -> list[str]:
        """Strings in the order of the arrays."""
        return self._layout.string_ids

    @property
    def location_ids(self) -> list[str]:
        """Sites in the order of the arrays."""
        return self._layout.location_ids

    @property
    def fingerprint(self) -> str:
        """A short name of this very set of batteries."""
        return self._layout.fingerprint

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, to: datetime) -> None:
        """Move on to an instant; steps are fine while a string works hard and coarse on float."""
        to = _within_reach(to)
        if to < self.time:
            raise ValueError(f"time runs forward: the world is at {self.time.isoformat()}")
        while self.time < to:
            present = self._present()
            until = min(to, self.time + timedelta(seconds=self._longest_step_s(present)), self._next_break())
            self._step(present, (until - self.time).total_seconds())
            self.time = until
            self._flow = None

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends somewhere, or a year ends."""
        return min(grid.next_change_after(at) for grid in self._grids)

    def discharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that feed the load now."""
        return self._named(self._demand_now().feeding, string_ids)

    def recharging(self, string_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Return the strings that take more than their float current now."""
        return self._named(self._present().recharging, string_ids)

    # -- looking ------------------------------------------------------------------------------------------------

    def observe(self, string_ids: Sequence[str], *, ohmic: frozenset[str] = frozenset()) -> Observation:
        """Read the sensors of strings now; ``ohmic`` names the strings whose blocks' resistance is measured too.

        A monitor measures resistance on float only: a string that works has none, whoever asks.
        """
        present, layout = self._present(), self._layout
        chosen = np.array([layout.string_position[string] for string in string_ids], dtype=np.int64)
        blocks = (chosen[:, None] * layout.width + np.arange(layout.width)).ravel()
        tick = round(self.time.timestamp() * 10)
        mode = self._modes(chosen, present)
        hall_a = self._string_sensors.current_a(present.current_a[chosen], chosen, tick)
        asked = [string in ohmic and now is StringMode.FLOAT for string, now in zip(string_ids, mode, strict=True)]
        measured = np.repeat(np.array(asked, dtype=bool), layout.width)
        resistance = np.full(len(blocks), np.nan)
        resistance[measured] = self._block_sensors.resistance_mohm(
            present.resistance_mohm[blocks[measured]], blocks[measured], tick
        )
        string_v = layout.by_string(present.voltage_v).sum(axis=1)[chosen]
        ripple_a = _RIPPLE_FLOOR_A + _RIPPLE_SHARE * np.abs(present.current_a[chosen])
        return Observation(
            time=self.time,
            battery_id=[layout.battery_ids[i] for i in blocks],
            voltage_v=self._block_sensors.voltage_v(present.voltage_v[blocks], blocks, tick),
            current_a=np.repeat(hall_a, layout.width),
            temperature_c=self._block_sensors.temperature_c(self._state.block_c[blocks], blocks, tick),
            internal_resistance_mohm=resistance,
            string_id=list(string_ids),
            string_voltage_v=self._string_sensors.voltage_v(string_v, chosen, tick),
            string_current_a=hall_a,
            float_current_ma=self._string_sensors.float_current_ma(present.current_a[chosen], chosen, tick),
            ripple_voltage_v=np.round(ripple_a * _RIPPLE_OHM, 3),
            ripple_current_a=np.round(ripple_a, 2),
            mode=mode,
        )

    def observe_sites(self, location_ids: Sequence[str] | None = None) -> SiteObservation:
        """Read the site sensors now."""
        wanted = self.location_ids if location_ids is None else location_ids
        positions = [self._layout.location_position[location] for location in wanted]
        faults = [self._rooms[position].fault_at(self.time) for position in positions]
        return SiteObservation(
            time=self.time,
            location_id=list(wanted),
            ambient_c=np.round(self._state.room_c[positions], 1),
            humidity_pct=np.round([self._rooms[position].humidity_pct(self.time) for position in positions]),
            hvac=[HvacState.RUNNING if fault is None else fault.state for fault in faults],
            mains=[self._grids[position].mains_at(self.time) for position in positions],
        )

    def ohmic_due(self, since: datetime, until: datetime) -> frozenset[str]:
        """Return the strings whose daily resistance measurement falls into (since, until]; strings take turns."""
        offset_s = _OHMIC_EVERY_S * np.arange(len(self.string_ids)) / len(self.string_ids)
        newest_s = np.floor((until.timestamp() - offset_s) / _OHMIC_EVERY_S) * _OHMIC_EVERY_S + offset_s
        return frozenset(self.string_ids[i] for i in np.flatnonzero(newest_s > since.timestamp()))

    def weakness_kinds(self) -> list[str]:
        """Return the planted weakness of each battery, empty for the sound ones: truth, which no sensor reports."""
        return list(self._blocks.weakness.kind)

    # -- checkpoint ---------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return a checkpoint; `load` with the same fleet goes on exactly from here."""
        return Checkpoint(self.seed, self.time, self.fingerprint, self._state).encoded()

    @classmethod
    def load(cls, data: bytes, fleet: Sequence[FleetRow]) -> "World":
        """Rebuild the world of a checkpoint.

        Raises
        ------
        ValueError
            The bytes are no checkpoint of this version, or of another fleet.
        """
        checkpoint = Checkpoint.decoded(data)
        world = cls(fleet, seed=checkpoint.seed, start=checkpoint.time, state=checkpoint.state)
        if checkpoint.fleet != world.fingerprint:
            raise ValueError("the checkpoint is of another fleet")
        return world

    # -- dynamics -----------------------------------------------------------------------------------------------

    def _settled(self) -> State:
        """Return the state on float, at the temperatures that the air conditioning holds."""
        layout, blocks = self._layout, self._blocks
        count, string_count = len(layout.battery_ids), len(layout.string_ids)
        room_c = np.array([room.target_c(self.time)[0] for room in self._rooms])
        usual_c = np.array([room.set_point_c for room in self._rooms])[layout.site_of_block] + blocks.tier_c
        warmth_k = (blocks.weakness.extra_heat_w + 0.6) * heat.THERMAL_RESISTANCE_K_PER_W
        return State(
            room_c=room_c,
            block_c=room_c[layout.site_of_block] + blocks.tier_c + warmth_k,
            deficit_ah=np.zeros(count),
            fast_v=np.zeros(count),
            slow_v=np.zeros(count),
            effective_age_days=blocks.age_days(self.time.timestamp()) * ageing.acceleration(usual_c),
            surface=np.ones(string_count),
            tripped=np.zeros(string_count),
        )

    def _longest_step_s(self, present: Flow) -> float:
        state = self._state
        if self._demand_now().feeding.any():
            return _DISCHARGE_STEP_S
        filling = state.surface < 1.0
        if filling.any():
            # Step onto the moment at which the first double layer is full.
            left_s = (1.0 - state.surface[filling]) / strings.surface_rate(self._blocks, present)[filling]
            return float(np.clip(left_s.min(), 0.1, _SURFACE_STEP_S))
        return _RECHARGE_STEP_S if state.deficit_ah.max() > _RECHARGED_AH else _FLOAT_STEP_S

    def _next_break(self) -> datetime:
        """Return the next instant at which something outside changes: no step runs across it."""
        faults = min(room.next_change_after(self.time) for room in self._rooms)
        return min(self.next_change_after(self.time), faults)

    def _step(self, present: Flow, step_s: float) -> None:
        state, layout, blocks = self._state, self._layout, self._blocks
        # The middle of the step stands for all of it.
        middle = self.time + timedelta(seconds=step_s / 2)
        target_c, tau_s = np.array([room.target_c(middle) for room in self._rooms]).T
        # What does not move the charge recombines and heats; in a discharge nothing does.
        gassing_a = np.where(present.current_a > 0.0, present.float_a, 0.0)
        losses_w = heat.losses_w(
            layout.to_blocks(present.current_a), layout.to_blocks(gassing_a), present.voltage_v, present.resistance_mohm
        )
        air_c = state.room_c[layout.site_of_block] + blocks.tier_c
        state.block_c = heat.step_block_c(state.block_c, air_c, losses_w + blocks.weakness.extra_heat_w, step_s)
        state.room_c = rooms.step_room_c(state.room_c, target_c, tau_s, step_s)
        strings.step_charge(state, blocks, layout, self._demand_now(), present, step_s=step_s)
        state.effective_age_days = state.effective_age_days + step_s / 86_400.0 * ageing.acceleration(state.block_c)

    def _present(self) -> Flow:
        if self._flow is None:
            self._flow = strings.flow(self._state, self._blocks, self._layout, self._demand_now())
        return self._flow

    # -- demand -------------------------------------------------------------------------------------------------

    def _demand_now(self) -> Demand:
        """Return who feeds the load; it holds until the next change."""
        if self.time >= self._demand_until:
            self._demand = self._demand_at(self.time)
            self._demand_until = self.next_change_after(self.time)
        return self._demand

    def _demand_at(self, at: datetime) -> Demand:
        demand = self._no_demand()
        for site, grid in enumerate(self._grids):
            event = grid.discharge_at(at)
            if event is not None:
                self._take_part(demand, site, event)
        return demand

    def _no_demand(self) -> Demand:
        count = len(self.string_ids)
        own_w = load.battery_power_w(self._layout.rated_kva_per_string)
        # Buses are the systems, and after them a load bank for each string on test.
        return Demand(
            feeding=np.zeros(count, bool),
            tested=np.zeros(count, bool),
            bus=self._layout.system_of_string.copy(),
            power_w=np.concatenate([self._system_w, own_w]),
        )

    def _take_part(self, demand: Demand, site: int, event: DischargeEvent) -> None:
        if event.string_id is None:
            demand.feeding[self._layout.site_of_string == site] = True
            return
        position = self._layout.string_position[event.string_id]
        demand.feeding[position] = demand.tested[position] = True
        demand.bus[position] = len(self._system_w) + position

    def _modes(self, chosen: npt.NDArray[np.int64], present: Flow) -> list[StringMode]:
        demand = self._demand_now()
        modes = np.where(
            demand.tested,
            StringMode.TEST.value,
            np.where(
                demand.feeding,
                StringMode.DISCHARGE.value,
                np.where(present.recharging, StringMode.RECHARGE.value, StringMode.FLOAT.value),
            ),
        )
        return [StringMode(mode) for mode in modes[chosen]]

    def _named(self, flags: npt.NDArray[np.bool_], string_ids: Iterable[str] | None) -> frozenset[str]:
        if string_ids is None:
            return frozenset(self.string_ids[i] for i in np.flatnonzero(flags))
        return frozenset(string for string in string_ids if flags[self._layout.string_position[string]])


def _within_reach(at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        raise ValueError(f"{at.isoformat()} lies outside {_FIRST:%Y} to {_LAST:%Y}, the reach of the climate")
    return at.astimezone(UTC)
