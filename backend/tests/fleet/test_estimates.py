"""Estimates as the API shows them."""

import pytest

from battery_api.fleet.estimates import estimate_of
from battery_contracts.enums import NoEstimateReason, Provenance, ReadingQuality


def test_a_new_battery_above_its_rating_is_shown_unchanged() -> None:
    shown = estimate_of("soh", 112.0, 4.0, "discharge_inferred", ReadingQuality.NONE)
    assert (shown.value_pct, shown.provenance) == (112.0, Provenance.DISCHARGE_INFERRED)
    assert shown.low_pct == pytest.approx(112.0 - 1.645 * 4.0, abs=0.05)
    assert shown.high_pct == pytest.approx(112.0 + 1.645 * 4.0, abs=0.05)


def test_no_charge_goes_beyond_full() -> None:
    shown = estimate_of("soc", 99.0, 2.0, "prior_only", ReadingQuality.NONE)
    assert (shown.value_pct, shown.high_pct) == (99.0, 100.0)
    assert shown.low_pct == pytest.approx(99.0 - 3.29, abs=0.05)


@pytest.mark.parametrize("estimate", [(None, 2.0, "prior_only"), (99.0, None, "prior_only"), (99.0, 2.0, None)])
def test_a_value_without_spread_or_evidence_is_not_shown(estimate: tuple[float, float, str]) -> None:
    shown = estimate_of("soh", *estimate, ReadingQuality.NONE)
    assert (shown.value_pct, shown.reason) == (None, NoEstimateReason.NO_ESTIMATE_YET)
    unavailable = estimate_of("soh", *estimate, ReadingQuality.TWIN_UNAVAILABLE)
    assert (unavailable.value_pct, unavailable.reason) == (None, NoEstimateReason.TWIN_UNAVAILABLE)
