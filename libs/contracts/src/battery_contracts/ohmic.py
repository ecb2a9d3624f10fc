"""How temperature changes an ohmic reading: the one correction to 25 °C that every part of the platform applies."""

from typing import Final

REFERENCE_TEMPERATURE_C: Final = 25.0
"""Temperature that ohmic readings and capacities are referred to, as on data sheets and in IEEE 1188."""

RESISTANCE_SLOPE_PER_C: Final = -0.008
"""Relative change of a VRLA battery's ohmic resistance per degree: R(T) = R_25 exp(-0.008 (T - 25)) [NEN].

About +50 % from +30 to -18 °C. A conductance meter reads the reciprocal, which rises by the same share.
"""
