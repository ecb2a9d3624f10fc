"""Individual traits of batteries: how long they last, how they fail, and how that shows.

Shares and spreads are engineering judgement within published ranges (corrosion and dry-out lead in AGM on float; life
varies by 10 % between lots and by 15 % between the blocks of a lot).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MECHANISMS: Final = ("corrosion", "dry_out", "sulfation", "softening", "strap", "short")
SHARES: Final = (0.35, 0.30, 0.15, 0.08, 0.07, 0.05)
CORROSION, DRY_OUT, SULFATION, SOFTENING, STRAP, SHORT = range(6)
MEDIAN_LIFE_DAYS: Final = 6.95 * 365.25
"""Median life of a 10-year block at 25 °C from wear alone; with random failures and faults 6.0 to 7.5 years remain."""
LOT_LOG_SIGMA, OWN_LOG_SIGMA = 0.10, 0.15
INITIAL_CAPACITY_SD: Final = 0.025
KNEE_MEAN, KNEE_SD, KNEE_RANGE = 3.2, 0.35, (2.75, 4.5)
"""Exponent of the loss over the used-up part of life: at least 97 % of capacity is left after half of it."""
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
        normal = np.array([stream(seed, "nature", name).standard_normal(9) for name in names]).reshape(-1, 9)
        chance = np.array([stream(seed, "fate", name).random(11) for name in names]).reshape(-1, 11)
        mechanism = np.searchsorted(np.cumsum(SHARES), chance[:, 0] * sum(SHARES), side="right")
        mechanism = np.clip(mechanism, 0, len(MECHANISMS) - 1)
        sudden = np.isin(mechanism, (STRAP, SHORT))
        strap_s, short_s = _unannounced(installed_s, chance)
        shortened = PREMATURE_LIFE[0] + (PREMATURE_LIFE[1] - PREMATURE_LIFE[0]) * chance[:, 10]
        defect = np.where(chance[:, 9] < PREMATURE_SHARE, shortened, 1.0)
        return cls(
            installed_s=np.asarray(installed_s, np.float64).copy(),
            life_days=MEDIAN_LIFE_DAYS * defect * np.exp(lot[:, 0] + OWN_LOG_SIGMA * normal[:, 0]),
            initial_capacity=1.0 + INITIAL_CAPACITY_SD * normal[:, 1],
            knee=np.clip(KNEE_MEAN + KNEE_SD * normal[:, 2], *KNEE_RANGE),
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


def _unannounced(installed_s: FloatArray, chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the instants of strap breaks and shorts from infant mortality and pure chance, in s since 1970."""
    # Conditional on a failure within the year: Weibull with its scale at one year, truncated there.
    infant_years = (-np.log1p(-chance[:, 2] * (1.0 - np.exp(-1.0)))) ** (1.0 / INFANT_SHAPE)
    infant_s = np.where(chance[:, 1] < INFANT_SHARE, installed_s + infant_years * _YEAR_S, NEVER_S)
    random_s = installed_s - np.log1p(-chance[:, 3]) / RANDOM_PER_YEAR * _YEAR_S
    first_s = np.minimum(infant_s, random_s)
    is_strap = chance[:, 4] < _STRAP_OF_SUDDEN
    return np.where(is_strap, first_s, NEVER_S), np.where(is_strap, NEVER_S, first_s)
