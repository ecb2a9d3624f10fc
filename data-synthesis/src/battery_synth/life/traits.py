"""Individual traits of batteries: how long they last, how they fail, and how that shows.

Shares and spreads are engineering judgement within published ranges (corrosion and dry-out lead in AGM on float; life
varies by 10 % between lots and by 15 % between the blocks of a lot).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.life.designs import DOUBLING_RANGE_K, SHARES, Design, activation_of_doubling_ev, design_of
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MECHANISMS: Final = ("corrosion", "dry_out", "sulfation", "softening", "strap", "short")
CORROSION, DRY_OUT, SULFATION, SOFTENING, STRAP, SHORT = range(6)
MEDIAN_LIFE_DAYS: Final = 6.95 * 365.25
"""Median life of a 10-year block at 25 °C from wear alone; with random failures and faults 6.0 to 7.5 years remain."""
LOT_LOG_SIGMA, OWN_LOG_SIGMA = 0.10, 0.15
INITIAL_CAPACITY_SD: Final = 0.025
KNEE_SD, KNEE_RANGE = 0.35, (2.5, 4.5)
"""Scatter of the exponent of the loss about that of the design: at least 95 % of capacity is left after half a life."""
DOUBLING_SD_K: Final = 0.4
CYCLES_LOG_SIGMA: Final = 0.15
"""Scatter of single batteries about the constants of their design (engineering judgement)."""
RESISTANCE_SLOPE: Final = np.array([1.7, 3.0, 0.10, 1.25, 1.25, 1.25])
"""k of R / R_new = 1 + k x loss, in the order of `MECHANISMS` (engineering judgement within published ranges)."""
SLOPE_LOG_SIGMA, SLOPE_RANGE = 0.2, (0.1, 3.0)
"""Scatter of k among batteries of one mechanism; sulfation 0 to 0.3, usual modes 1.25 to 2.1, dry-out 3."""
SECOND_SHARE: Final = 0.4
"""Part of the loss, at most, that a second of corrosion, dry-out and sulfation brings (engineering judgement)."""
CAPACITY_WALK_PER_YEAR: Final = 0.01
"""Standard deviation of the capacity's slow random walk after a year (engineering judgement)."""
WALK_STEP_DAYS, _WALK_STEPS = 182.625, 60
FLOAT_SULFATE: Final = 0.03
"""Share of the capacity that recoverable sulfate takes on long float, at most (engineering judgement)."""
RESISTANCE_SCATTER, RESISTANCE_WANDER = 0.075, 0.05
"""Scatter of a settled block's resistance about its mechanism's law, relative to new (8 to 12 % together): a constant
part, and one that comes and goes over `WANDER_YEARS` with contacts, pressure and acid."""
WANDER_YEARS: Final = (1.5, 4.0)
NEW_RESISTANCE_LOG_SIGMA: Final = 0.04
EXCHANGE_LOG_SIGMA: Final = 0.064
"""35 mV of settled float spread = 6 cells / 11 per V times it."""
LOT_EXCHANGE_MA: Final = (14.0, 27.0)
"""mA per 100 Ah, so that strings of 120 Ah draw the 24 to 60 mA that are observed."""
OCV_SD_V: Final = 0.020
INFANT_SHARE, INFANT_SHAPE = 0.012, 0.6
"""1.2 % of batteries fail in their first year, most of them early (Weibull, beta 0.6)."""
PREMATURE_SHARE, PREMATURE_LIFE = 0.025, (0.35, 0.75)
"""Batteries with a manufacturing defect (a leaking valve, a starved negative plate) have only this part of a life:
early loss of capacity beyond two years occurs in cool rooms too."""
RANDOM_PER_YEAR: Final = 0.0035
"""Shorts and broken posts without warning (0.2 to 0.4 % per year)."""
_STRAP_OF_SUDDEN: Final = 0.4
_DAY_S: Final = 86_400.0
_YEAR_S: Final = 365.25 * _DAY_S
NEVER_S: Final = 1e18
_DETECTED_PART: Final = 1.06
"""Part of life by which the yearly review has detected a battery that fades."""
_SHORT_NOTICED_DAYS, _LOOSE_NOTICED_DAYS = 90.0, 120.0
"""Within these times a shorted cell and a loose strap are noticed and a spare has arrived (8 to 16 weeks if imported);
an open string cannot wait."""


@dataclass(slots=True)
class Traits:
    """Constants (n,) of batteries."""

    installed_s: FloatArray
    life_days: FloatArray
    """Days at 25 °C to 80 % of the initial capacity."""
    initial_capacity: FloatArray
    knee: FloatArray
    mechanism: IntArray
    """Indices into `MECHANISMS`."""
    resistance_scatter: FloatArray
    resistance_wander: FloatArray
    wander_days: FloatArray
    """Period of the wander."""
    wander_phase: FloatArray
    new_resistance_ratio: FloatArray
    """New resistance over that of the model."""
    exchange_ma_per_100ah: FloatArray
    ocv_offset_v: FloatArray
    sudden_part: FloatArray
    """Part of life after which a strap breaks or a cell shorts, for batteries with that mechanism; else `NEVER_S`."""
    strap_s: FloatArray
    short_s: FloatArray
    """Instants of failures without warning, in s since 1970; `NEVER_S` for most."""
    strap_factor: FloatArray
    """Factor of a failing strap on resistance before it breaks."""
    strap_days: FloatArray
    """Days from that jump to the break."""
    activation_ev: FloatArray
    early_share: FloatArray
    """Part of the loss that grows evenly with the used-up part of life."""
    full_cycles: FloatArray
    cycle_exponent: FloatArray
    resistance_slope: FloatArray
    """k of R / R_new = 1 + k x loss."""
    float_sulfate: FloatArray
    """Share of the capacity that recoverable sulfate takes on long float."""
    capacity_walk: FloatArray
    """(n, steps + 1) relative deviation of the capacity every `WALK_STEP_DAYS` from the installation on."""

    @classmethod
    def draw(cls, seed: int, names: Sequence[str], lots: Sequence[str], installed_s: FloatArray) -> "Traits":
        """Draw batteries from their own named streams; those of one lot share its random factors.

        Parameters
        ----------
        names, lots
            (n,) names of the batteries and of their lots.
        installed_s
            (n,) s since 1970.
        """
        of_lot = {lot: _lot(seed, lot) for lot in dict.fromkeys(lots)}
        lot = np.array([of_lot[name] for name in lots]).reshape(-1, 2)
        normal = np.array([stream(seed, "nature", name).standard_normal(12) for name in names]).reshape(-1, 12)
        chance = np.array([stream(seed, "fate", name).random(14) for name in names]).reshape(-1, 14)
        designs = {name: design_of(seed, name) for name in of_lot}
        made = [designs[name] for name in lots]
        mechanism = _mechanism(np.array([each.shares for each in made]).reshape(-1, len(SHARES)), chance[:, 0])
        sudden = np.isin(mechanism, (STRAP, SHORT))
        strap_s, short_s = _unannounced(installed_s, chance)
        shortened = PREMATURE_LIFE[0] + (PREMATURE_LIFE[1] - PREMATURE_LIFE[0]) * chance[:, 10]
        defect = np.where(chance[:, 9] < PREMATURE_SHARE, shortened, 1.0)
        return cls(
            installed_s=np.asarray(installed_s, np.float64).copy(),
            life_days=MEDIAN_LIFE_DAYS
            * np.array([each.life_factor for each in made])
            * defect
            * np.exp(lot[:, 0] + OWN_LOG_SIGMA * normal[:, 0]),
            initial_capacity=1.0 + INITIAL_CAPACITY_SD * normal[:, 1],
            knee=np.clip(np.array([each.knee for each in made]) + KNEE_SD * normal[:, 2], *KNEE_RANGE),
            mechanism=mechanism,
            resistance_scatter=RESISTANCE_SCATTER * normal[:, 3],
            resistance_wander=np.sqrt(2.0) * RESISTANCE_WANDER * normal[:, 8],
            wander_days=365.25 * (WANDER_YEARS[0] + (WANDER_YEARS[1] - WANDER_YEARS[0]) * chance[:, 7]),
            wander_phase=2.0 * np.pi * chance[:, 8],
            new_resistance_ratio=np.exp(NEW_RESISTANCE_LOG_SIGMA * normal[:, 4]),
            exchange_ma_per_100ah=lot[:, 1] * np.exp(EXCHANGE_LOG_SIGMA * normal[:, 5]),
            ocv_offset_v=OCV_SD_V * normal[:, 6],
            sudden_part=np.where(sudden, 0.95 * np.exp(0.12 * normal[:, 7]), NEVER_S),
            strap_s=strap_s,
            short_s=short_s,
            strap_factor=1.25 + 0.9 * chance[:, 5],
            strap_days=14.0 + 240.0 * chance[:, 6],
            **_constants(made, normal[:, 9:11]),
            resistance_slope=_slope(mechanism, chance[:, 11], chance[:, 12], normal[:, 11]),
            float_sulfate=FLOAT_SULFATE * chance[:, 13],
            capacity_walk=_walks(seed, names),
        )

    def survive(self, at_s: float, part: FloatArray) -> None:
        """Cancel failures well before an instant at which the batteries are known to be in service.

        A failed battery does not stay in a string for long, and a review detects one that has passed its end of life.
        ``part`` (n,) is the used-up part of life.
        """
        self.life_days *= np.maximum(part / _DETECTED_PART, 1.0)
        part = np.minimum(part, _DETECTED_PART)
        over_days = (part - self.sudden_part) * self.life_days
        noticed_days = np.where(self.mechanism == SHORT, _SHORT_NOTICED_DAYS, self._strap_noticed_days())
        self.sudden_part[over_days > noticed_days] = NEVER_S
        self.strap_s[(at_s - self.strap_s) / _DAY_S > self._strap_noticed_days()] = NEVER_S
        self.short_s[(at_s - self.short_s) / _DAY_S > _SHORT_NOTICED_DAYS] = NEVER_S

    def _strap_noticed_days(self) -> FloatArray:
        """Return how long after its jump a failing strap can still be in service, in days."""
        return np.minimum(_LOOSE_NOTICED_DAYS, self.strap_days)

    def replace_rows(self, rows: IntArray, replacements: "Traits") -> None:
        """Overwrite the traits at ``rows`` (m,) by those of their replacements (m,)."""
        for item in fields(Traits):
            getattr(self, item.name)[rows] = getattr(replacements, item.name)


def _lot(seed: int, lot: str) -> tuple[float, float]:
    random = stream(seed, "lot", lot)
    return LOT_LOG_SIGMA * float(random.standard_normal()), float(random.uniform(*LOT_EXCHANGE_MA))


def _constants(made: Sequence[Design], normal: FloatArray) -> dict[str, FloatArray]:
    """Return the constants (n,) of the designs that batteries are of; ``normal`` (n, 2) scatters those of each one."""
    doubling_k = np.array([each.doubling_k for each in made]) + DOUBLING_SD_K * normal[:, 0]
    return {
        "activation_ev": activation_of_doubling_ev(np.clip(doubling_k, *DOUBLING_RANGE_K)),
        "early_share": np.array([each.early_share for each in made], np.float64),
        "full_cycles": np.array([each.full_cycles for each in made]) * np.exp(CYCLES_LOG_SIGMA * normal[:, 1]),
        "cycle_exponent": np.array([each.cycle_exponent for each in made], np.float64),
    }


def _mechanism(shares: FloatArray, chance: FloatArray) -> IntArray:
    """Return the mechanisms (n,) that numbers from 0 to 1 select by the shares (n, 6) of each battery's design."""
    mechanism: IntArray = (np.cumsum(shares, axis=1) <= chance[:, None] * shares.sum(axis=1)[:, None]).sum(axis=1)
    return np.clip(mechanism, 0, len(MECHANISMS) - 1)


def _slope(mechanism: IntArray, second: FloatArray, share: FloatArray, scatter: FloatArray) -> FloatArray:
    """Return k of batteries (n,): their mechanism's, mixed with that of a second one, and scattered.

    ``second`` and ``share`` are numbers from 0 to 1; most batteries have little of a second mechanism.
    """
    part = SECOND_SHARE * share * share
    usual = np.array(RESISTANCE_SLOPE)
    other = usual[np.minimum((3.0 * second).astype(np.int64), SULFATION)]
    mixed = (1.0 - part) * usual[mechanism] + part * other
    slope: FloatArray = np.clip(mixed * np.exp(SLOPE_LOG_SIGMA * scatter), *SLOPE_RANGE)
    return slope


def _walks(seed: int, names: Sequence[str]) -> FloatArray:
    """Return the random walks (n, steps + 1) of the capacities; each begins at 0."""
    step = CAPACITY_WALK_PER_YEAR * np.sqrt(WALK_STEP_DAYS / 365.25)
    walks = np.zeros((len(names), _WALK_STEPS + 1))
    for row, name in enumerate(names):
        walks[row, 1:] = step * np.cumsum(stream(seed, "capacity-walk", name).standard_normal(_WALK_STEPS))
    return walks


def _unannounced(installed_s: FloatArray, chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the instants of strap breaks and shorts from infant mortality and pure chance, in s since 1970."""
    # Conditional on a failure within the year: Weibull with its scale at one year, truncated there.
    infant_years = (-np.log1p(-chance[:, 2] * (1.0 - np.exp(-1.0)))) ** (1.0 / INFANT_SHAPE)
    infant_s = np.where(chance[:, 1] < INFANT_SHARE, installed_s + infant_years * _YEAR_S, NEVER_S)
    random_s = installed_s - np.log1p(-chance[:, 3]) / RANDOM_PER_YEAR * _YEAR_S
    first_s = np.minimum(infant_s, random_s)
    is_strap = chance[:, 4] < _STRAP_OF_SUDDEN
    return np.where(is_strap, first_s, NEVER_S), np.where(is_strap, NEVER_S, first_s)
