"""What the gateway assumes of a block of which nothing is known: as weak as the weakest, and maybe weaker."""

import pytest

from battery_contracts.twin_analysis import BlockState, LoadStep, SimulateRequest, SimulateResponse
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.runtime.string import simulate

KNOWN = {"soc_pct": 98.0, "soc_sd_pct": 3.0, "soh_pct": 92.0, "soh_sd_pct": 5.0}
UNKNOWN = KNOWN | {"soc_sd_pct": 15.0, "soh_sd_pct": 20.0}
"""With the least deviations of `battery_api.twin.blocks`."""


def runtime(unknown_count: int, assumed: dict[str, float], current_a: float) -> SimulateResponse:
    states = [assumed if number < unknown_count else KNOWN for number in range(24)]
    request = SimulateRequest(
        blocks=[BlockState(battery_id=f"B{number}", **state) for number, state in enumerate(states)],
        profile=[LoadStep(duration_s=300.0, current_a=current_a)],
        rated_ah=120.0,
    )
    return simulate(request, data_sheet_parameters(120.0))


@pytest.mark.parametrize("current_a", [-30.0, -60.0, -120.0])
def test_a_block_that_nothing_is_known_of_lowers_the_p10_and_does_not_raise_the_p90(current_a: float) -> None:
    all_known = runtime(0, UNKNOWN, current_a)
    one_unknown = runtime(1, UNKNOWN, current_a)
    assert one_unknown.runtime_p10_s < 0.9 * all_known.runtime_p10_s
    assert one_unknown.runtime_p90_s <= all_known.runtime_p90_s
    # As certain as the known ones, it would not have been told from them.
    assert runtime(1, KNOWN, current_a).runtime_p10_s == all_known.runtime_p10_s


def test_more_of_them_lower_it_further_and_one_of_them_is_named() -> None:
    p10_s = [runtime(count, UNKNOWN, -60.0).runtime_p10_s for count in (0, 1, 3, 12)]
    assert p10_s == sorted(p10_s, reverse=True)
    assert len(set(p10_s)) == 4
    assert runtime(1, UNKNOWN, -60.0).limiting_battery_id == "B0"
