"""Whether the runtime of a string on float can be another one by now: estimates that differ by noise give the same."""

from typing import Final

from battery_contracts.twin_analysis import BlockState, SimulateRequest

_NOISE: Final = {
    "soc_pct": 1.0,
    "soc_sd_pct": 1.0,
    "soh_pct": 1.0,
    "soh_sd_pct": 1.0,
    "temperature_c": 1.5,
    "resistance_ratio": 0.03,
}
"""Differences of a block up to which a simulation is not repeated; EJ: each moves the runtime by at most about 2 %."""
_LOAD_NOISE: Final = 0.01


def differs(before: SimulateRequest, now: SimulateRequest) -> bool:
    """Return whether a simulation has to be repeated."""
    if (before.rated_ah, before.cut_off_v, len(before.blocks)) != (now.rated_ah, now.cut_off_v, len(now.blocks)):
        return True
    before_a, now_a = (request.profile[0].current_a or 0.0 for request in (before, now))
    if abs(now_a - before_a) > _LOAD_NOISE * abs(before_a):
        return True
    return any(_block_differs(*pair) for pair in zip(before.blocks, now.blocks, strict=True))


def _block_differs(before: BlockState, now: BlockState) -> bool:
    if before.battery_id != now.battery_id:
        return True
    return any(abs(getattr(now, name) - getattr(before, name)) > noise for name, noise in _NOISE.items())
