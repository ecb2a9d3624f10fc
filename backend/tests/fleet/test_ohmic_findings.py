from datetime import timedelta
from typing import Any

import pytest

from battery_api.fleet.ohmic_policies import POLICIES, find
from battery_contracts.ohmic import RESISTANCE_SLOPE_PER_C
from tests.alerts.conftest import alert_template, world
from tests.alerts.world import BATTERIES, FIRST, NOW, PER_STRING, World, named

__all__ = ["alert_template", "world"]

BASELINE = 3.4
"""Baseline of every battery of the small fleet, at 25 °C."""


def verdicts(resistance: float | None, peers: list[float], **changed: Any) -> dict[str, str]:
    values = {"is_measured": True, "baseline_25c_mohm": BASELINE} | changed
    found = find(resistance, peers_25c_mohm=peers, **values)
    return {one.policy.policy_id: one.reason or one.verdict for one in found}


def test_one_reading_has_several_findings() -> None:
    # 36 % above its own baseline, 15 % above a string that has aged as a whole.
    assert verdicts(1.36 * BASELINE, [1.18 * BASELINE] * 5) == {
        "act_20": "exceeded",
        "significant_30": "exceeded",
        "warranty_50": "within",
        "warranty_string_50": "within",
    }


@pytest.mark.parametrize("policy", POLICIES)
def test_a_limit_is_beyond_and_not_at(policy: Any) -> None:
    for share, expected in ((1e-6, "exceeded"), (-1e-6, "within")):
        resistance = BASELINE * (1 + policy.limit_pct / 100 + share)
        assert verdicts(resistance, [BASELINE] * 3)[policy.policy_id] == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"is_measured": False}, "never_measured"),
        ({"resistance": None}, "no_temperature"),
        ({"baseline_25c_mohm": None}, "no_baseline"),
    ],
)
def test_what_is_missing_is_unknown_and_never_within(values: dict[str, Any], reason: str) -> None:
    resistance = values.pop("resistance", 3.5)
    assert verdicts(resistance, [BASELINE] * 5, **values)["act_20"] == reason


def test_two_others_are_no_string() -> None:
    assert verdicts(5.4, [BASELINE] * 2)["warranty_string_50"] == "too_few_peers"
    assert verdicts(5.4, [BASELINE] * 3)["warranty_string_50"] == "exceeded"


async def findings(world: World, code: str, *, who: str = "pager") -> dict[str, Any]:
    answer = await world.client.get(f"batteries/{code}/ohmic-findings", headers=named(who))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_findings_are_of_the_newest_reading_at_25_degrees(world: World) -> None:
    warm_c = 35.0
    resistance = 1.25 * BASELINE * 2.718281828459045 ** (RESISTANCE_SLOPE_PER_C * (warm_c - 25.0))
    values = {"internal_resistance_mohm": round(resistance, 4), "temperature_c": warm_c}
    others = {"internal_resistance_mohm": BASELINE}
    changed = dict.fromkeys(BATTERIES[1:PER_STRING], others) | {FIRST: values}
    await world.sweep(NOW - timedelta(days=1), {FIRST: {"internal_resistance_mohm": 2 * BASELINE}})
    await world.sweep(NOW, changed)
    found = await findings(world, FIRST)
    assert found["resistance_25c_mohm"] == pytest.approx(1.25 * BASELINE, abs=0.002)
    by_policy = {one["policy_id"]: (one["verdict"], one["rise_pct"]) for one in found["findings"]}
    assert by_policy["act_20"] == ("exceeded", pytest.approx(25.0, abs=0.1))
    assert by_policy["significant_30"][0] == "within"
    assert by_policy["warranty_string_50"] == ("within", pytest.approx(25.0, abs=0.1))


async def test_nothing_measured_and_foreign_batteries(world: World) -> None:
    found = await findings(world, FIRST)
    assert {one["reason"] for one in found["findings"]} == {"never_measured"}
    assert {one["verdict"] for one in found["findings"]} == {"unknown"}
    for code, who in ((FIRST, "nok"), ("BAT-DC-BKK-01-UPS-01-STR-01-999", "pager")):
        answer = await world.client.get(f"batteries/{code}/ohmic-findings", headers=named(who))
        assert (answer.status_code, answer.json()["code"]) == (404, "battery_not_found")
