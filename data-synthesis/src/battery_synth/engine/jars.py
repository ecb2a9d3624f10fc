"""Which jar stands where: what it was born with, what wear has made of it, and its replacement."""

from typing import Any, Final, Self

import numpy as np

from battery_synth.engine.arrays import Blocks, FloatArray, IntArray, State
from battery_synth.engine.layout import SiteLayout
from battery_synth.engine.readings import DayTruth
from battery_synth.life.condition import Condition, Wear, activation_ev, condition, next_sudden_after, spent_part
from battery_synth.life.lives import Kind, LifeEvent, Reason, jar_name, serial_number
from battery_synth.life.nature import Nature
from battery_synth.life.policy import Findings, Policy

_NOT_FAILED_S: Final = 1e18
_FATE: Final = ("life_days", "sudden_part", "strap_s", "short_s")
"""What of a nature does not follow from its name alone: that a jar was alive when the world began changes its fate."""
_DAY_S: Final = 86_400.0


class Jars:
    """The jars of a site (n,): generation, delivery, nature and failure. The clocks of wear are the engine's state."""

    def __init__(self, seed: int, layout: SiteLayout, policy: Policy, births: dict[str, Any]) -> None:
        self._seed, self._layout, self._policy = seed, layout, policy
        self._activation_ev = activation_ev(seed)
        self._generation: IntArray = np.array(births["generation"], np.int64)
        self._delivery: IntArray = np.array(births["delivery"], np.int64)
        self._installed_s: FloatArray = np.array(births["installed_s"], np.float64)
        self._failed_s: FloatArray = np.array(births["failed_s"], np.float64)
        self._nature = self._drawn(np.arange(len(self._generation)))
        for name in _FATE:
            if name in births:
                setattr(self._nature, name, np.array(births[name], np.float64))
        self._events: list[LifeEvent] = []
        self._seen: tuple[float, Condition] | None = None

    @classmethod
    def of_catalogue(cls, seed: int, layout: SiteLayout, policy: Policy) -> Self:
        """Return the jars that the catalogue lists."""
        count = len(layout.battery_ids)
        births = {
            "generation": np.zeros(count, np.int64),
            "delivery": np.zeros(count, np.int64),
            "installed_s": layout.installed_s,
            "failed_s": np.full(count, _NOT_FAILED_S),
        }
        return cls(seed, layout, policy, births)

    def saved(self) -> dict[str, Any]:
        """Return what the constructor needs to rebuild these jars: their natures follow from seed and name."""
        return {
            "generation": self._generation.copy(),
            "delivery": self._delivery.copy(),
            "installed_s": self._installed_s.copy(),
            "failed_s": self._failed_s.copy(),
            **{name: getattr(self._nature, name).copy() for name in _FATE},
        }

    def wear_since_installation(self, at_s: float, temperature_c: FloatArray) -> tuple[FloatArray, ...]:
        """Return the clocks (thermal, overcharge, undercharge, cycles) of jars that floated at a temperature.

        That they are in service at this instant is known: what would have killed them before is taken back.
        """
        wear = Wear.after(self._installed_s, at_s, temperature_c, self._activation_ev)
        self._nature.survive(at_s, spent_part(self._nature, wear))
        return wear.thermal_days, wear.overcharge_days, wear.undercharge_days, wear.cycle_share

    def next_sudden_s(self, after_s: float) -> float:
        """Return the next instant at which a jar fails without warning."""
        return next_sudden_after(self._nature, after_s)

    def blocks(self, state: State, at_s: float) -> Blocks:
        """Return what wear has made of the blocks by now."""
        layout = self._layout
        now = self._now(state, at_s)
        self._note_failures(now, at_s)
        base_mohm = np.where(
            self._generation == 0, layout.baseline_mohm, layout.nominal_mohm * self._nature.new_resistance_ratio
        )
        exchange_ma = self._nature.exchange_ma_per_100ah * now.exchange_ratio
        return Blocks(
            width=layout.width,
            rated_ah=layout.rated_ah,
            activation_ev=self._activation_ev,
            system_of_string=layout.system_of_string,
            rated_w=layout.rated_w,
            tier_c=layout.tier_c,
            capacity_ah=layout.rated_ah * now.health,
            resistance_25c_mohm=base_mohm * now.resistance_ratio,
            log_exchange=np.log(layout.rated_ah / 100.0 * exchange_ma * 1e-3),
            good_cells=now.good_cells,
            is_open=now.is_open,
            extra_heat_w=now.extra_heat_w,
            ocv_offset_v=now.ocv_offset_v,
        )

    def keep_house(self, state: State, at_s: float) -> None:
        """Do at a midnight what the site's people do: take new strings into service, replace what is due."""
        # A history may begin before a string of the catalogue was installed: what stood there before is not its wear.
        arrived = (self._installed_s > at_s - _DAY_S) & (self._installed_s <= at_s)
        _reset(state, np.flatnonzero(arrived & (self._generation == 0)))
        names = [jar_name(*jar) for jar in zip(self._layout.battery_ids, self._generation.tolist(), strict=True)]
        seen = self._now(state, at_s)
        found = Findings(
            jars=names,
            string_ids=self._layout.string_ids,
            age_days=(at_s - self._installed_s) / _DAY_S,
            failed_since_s=self._failed_s,
            is_open=seen.is_open,
            is_shorted=seen.good_cells < 6.0,
            health=seen.health,
            resistance_ratio=seen.resistance_ratio,
        )
        rows = self._policy.swaps(at_s, found)
        if len(rows):
            self._replace(state, rows, at_s)

    def truth(self, state: State, blocks: Blocks, at_us: int) -> DayTruth:
        """Return what is really so."""
        now = self._now(state, at_us / 1e6)
        return DayTruth(
            at_us=at_us,
            health=now.health.astype(np.float32),
            capacity_ah=(self._layout.rated_ah * now.health).astype(np.float32),
            resistance_25c_mohm=blocks.resistance_25c_mohm.astype(np.float32),
            exchange_ratio=now.exchange_ratio.astype(np.float32),
            mechanism=self._nature.mechanism.astype(np.int8),
            generation=self._generation.astype(np.int32),
            failed=now.failed,
        )

    def take_events(self) -> list[LifeEvent]:
        """Return what happened since the last call."""
        taken, self._events = self._events, []
        return taken

    def installations(self) -> list[LifeEvent]:
        """Return the installation of every jar that stands here now."""
        rows = range(len(self._generation))
        return [self._event(row, float(self._installed_s[row]), "installed", "commissioning") for row in rows]

    def _now(self, state: State, at_s: float) -> Condition:
        """Return what the jars are like; a midnight's house-keeping, blocks and truth ask for the same."""
        if self._seen is None or self._seen[0] != at_s:
            self._seen = at_s, condition(self._nature, _wear(state), at_s)
        return self._seen[1]

    def _note_failures(self, now: Condition, at_s: float) -> None:
        for row in np.flatnonzero(now.failed & (self._failed_s >= _NOT_FAILED_S)):
            self._failed_s[row] = at_s
            self._events.append(self._event(int(row), at_s, "failed", _cause(now, int(row))))

    def _replace(self, state: State, rows: IntArray, at_s: float) -> None:
        reasons = {int(row): self._reason(int(row), rows) for row in rows}
        self._events += [self._event(row, at_s, "removed", reason) for row, reason in reasons.items()]
        self._generation[rows] += 1
        # What is put in on one day comes from one delivery.
        self._delivery[rows] = int(at_s // _DAY_S)
        self._installed_s[rows] = at_s
        self._failed_s[rows] = _NOT_FAILED_S
        self._nature.replace_rows(rows, self._drawn(rows))
        self._seen = None
        _reset(state, rows)
        # A new jar comes charged from the store; its string's surface charge and polarisation settle within hours.
        state.deficit_ah[rows] = state.fast_v[rows] = state.slow_v[rows] = 0.0
        self._events += [self._event(row, at_s, "installed", reason) for row, reason in reasons.items()]

    def _reason(self, row: int, rows: IntArray) -> Reason:
        """Return why a jar is replaced together with others."""
        if self._failed_s[row] < _NOT_FAILED_S:
            return "failed"
        width = self._layout.width
        return "string_replaced" if (rows // width == row // width).sum() == width else "weak"

    def _drawn(self, rows: IntArray) -> Nature:
        ids = [self._layout.battery_ids[row] for row in rows]
        names = [jar_name(battery, int(number)) for battery, number in zip(ids, self._generation[rows], strict=True)]
        strings = [self._layout.string_ids[row // self._layout.width] for row in rows]
        lots = [f"{string}@{delivery}" for string, delivery in zip(strings, self._delivery[rows], strict=True)]
        return Nature.draw(self._seed, names, lots, self._installed_s[rows])

    def _event(self, row: int, at_s: float, kind: Kind, reason: Reason) -> LifeEvent:
        battery, generation = self._layout.battery_ids[row], int(self._generation[row])
        serial = self._layout.serial_numbers[row]
        if generation > 0:
            day = np.datetime64(int(self._installed_s[row]), "s").astype("datetime64[D]").item()
            serial = serial_number(battery, generation, f"{day:%y%m}")
        return LifeEvent(at_s, kind, battery, generation, serial, reason)


def _wear(state: State) -> Wear:
    return Wear(state.thermal_days, state.overcharge_days, state.undercharge_days, state.cycle_share)


def _reset(state: State, rows: IntArray) -> None:
    for clock in (state.thermal_days, state.overcharge_days, state.undercharge_days, state.cycle_share):
        clock[rows] = 0.0


def _cause(now: Condition, row: int) -> Reason:
    if now.is_open[row]:
        return "open_circuit"
    return "shorted_cell" if now.good_cells[row] < 6.0 else "capacity"
