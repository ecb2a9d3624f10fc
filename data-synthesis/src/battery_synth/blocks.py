"""The blocks as they were born and as age has left them: capacity, resistance, exchange current, place in the rack."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.fleet import BATTERY_MODELS, FleetRow
from battery_synth import ageing
from battery_synth.streams import stream
from battery_synth.weak import Weakness, draw_weakness

FloatArray = npt.NDArray[np.float64]

TIERS: Final = 4
TIER_STEP_K: Final = 0.4
"""Each rack tier stands in air this much warmer than the one below (1 to 3 K from bottom to top)."""
_FLOAT_SPREAD_LOG: Final = 0.064
"""Scatter of log exchange current: 35 mV of settled float spread = 6 cells / 11 per V of it."""
_CAPACITY_TEMPERATURE_C: Final = np.array([-15.0, 0.0, 25.0, 40.0])
_CAPACITY_SHARE: Final = np.array([0.65, 0.85, 1.0, 1.04])
"""Capacity over that at 25 °C (NREL SAM's table for lead-acid)."""


@dataclass(frozen=True)
class Blocks:
    """Constants (n,) of the blocks; what ages takes the effective age in days at 25 °C."""

    rated_ah: float
    new_resistance_mohm: FloatArray
    new_exchange_ma_per_100ah: FloatArray
    tier_c: FloatArray
    installed_s: FloatArray
    nature: ageing.BlockNature
    weakness: Weakness

    @classmethod
    def of(cls, seed: int, fleet: Sequence[FleetRow], width: int) -> "Blocks":
        """Draw the blocks of a fleet sorted by battery id; each from its own named stream."""
        models = [BATTERY_MODELS[row.model_id] for row in fleet]
        if len({model.rated_capacity_ah for model in models}) != 1:
            raise ValueError("the world knows fleets of one rated capacity only")
        battery_ids = [row.battery_id for row in fleet]
        string_ids = [row.string_id for row in fleet]
        # 10 to 30 mA per 100 Ah, so that strings of 120 Ah take the 24 to 60 mA that are seen.
        of_string = {string: stream(seed, "exchange", string).uniform(14, 27) for string in dict.fromkeys(string_ids)}
        own = np.array([stream(seed, "exchange", battery).standard_normal() for battery in battery_ids])
        new_mohm = [
            row.baseline_resistance_mohm or model.nominal_resistance_mohm
            for row, model in zip(fleet, models, strict=True)
        ]
        return cls(
            rated_ah=models[0].rated_capacity_ah,
            new_resistance_mohm=np.array(new_mohm),
            new_exchange_ma_per_100ah=np.array([of_string[s] for s in string_ids]) * np.exp(_FLOAT_SPREAD_LOG * own),
            tier_c=TIER_STEP_K * ((np.arange(len(fleet)) % width) * TIERS // width).astype(np.float64),
            installed_s=np.array([np.datetime64(row.installed_on, "s").astype(np.int64) for row in fleet], np.float64),
            nature=ageing.draw_nature(seed, battery_ids, string_ids),
            weakness=draw_weakness(seed, battery_ids),
        )

    def age_days(self, at_s: float) -> FloatArray:
        """Return calendar ages at an instant in s since 1970."""
        return np.clip(at_s - self.installed_s, 0.0, None) / 86_400.0

    def health(self, effective_age_days: FloatArray) -> FloatArray:
        """Return capacity over rated capacity, at 25 °C and the ten-hour rate."""
        return ageing.state_of_health(effective_age_days, self.nature) * self.weakness.capacity_factor

    def resistance_25c_mohm(self, effective_age_days: FloatArray) -> FloatArray:
        """Return ohmic resistances of full blocks at 25 °C."""
        ratio = ageing.resistance_ratio(effective_age_days, self.nature)
        return self.new_resistance_mohm * ratio * self.weakness.resistance_factor

    def exchange_ma_per_100ah(self, effective_age_days: FloatArray) -> FloatArray:
        """Return exchange currents of the gassing branch."""
        ratio = ageing.float_ratio(effective_age_days, self.nature)
        return self.new_exchange_ma_per_100ah * ratio * self.weakness.float_factor


def capacity_share(temperature_c: FloatArray) -> FloatArray:
    """Return capacity at a temperature over capacity at 25 °C."""
    share: FloatArray = np.interp(temperature_c, _CAPACITY_TEMPERATURE_C, _CAPACITY_SHARE)
    return share
