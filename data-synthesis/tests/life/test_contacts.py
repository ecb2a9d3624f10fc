"""Contacts: a resistance that grows, and that a visit takes away."""

import numpy as np
import pytest

from battery_synth.life.contacts import GROWTH_PER_YEAR, LEFT_SHARE_SD, MOST_SHARE, Contacts
from battery_synth.outside.climate import year_start_s
from battery_synth.outside.habits import Habits
from battery_synth.outside.locations import LOCATIONS
from tests.life.population import DAY_S, FloatArray

COUNT, NOMINAL = 2_000, 3.5
START_S = year_start_s(2020)


def _habits(retorques: bool) -> Habits:
    found = (Habits.of(1, each.code) for each in LOCATIONS)
    return next(habits for habits in found if habits.retorques == retorques)


def _growth(retorques: bool, days: FloatArray) -> FloatArray:
    contacts = Contacts(1, _habits(retorques), [f"B{row}" for row in range(COUNT)], np.full(COUNT, NOMINAL))
    installed_s = np.full(COUNT, START_S)
    return np.array([contacts.resistance_mohm(START_S + day * DAY_S, installed_s) for day in days]) / NOMINAL


def test_contacts_grow_for_ever_where_nobody_touches_them() -> None:
    grown = _growth(False, 365.25 * np.arange(0.0, 13.0))
    assert not grown[0].any()
    assert (np.diff(grown, axis=0) > 0.0).all()
    assert np.median(grown[1]) == pytest.approx(GROWTH_PER_YEAR, rel=0.1)
    assert np.quantile(grown[1], 0.95) * NOMINAL == pytest.approx(0.1, rel=0.25)
    assert grown.max() < MOST_SHARE


def test_a_visit_a_year_takes_the_growth_away() -> None:
    days = np.arange(0.0, 10.0 * 365.0)
    grown = _growth(True, days)
    falls = (np.diff(grown, axis=0) < 0.0).mean(axis=1)
    visits = np.flatnonzero(falls > 0.5)
    assert 9 <= len(visits) <= 11
    gaps = np.diff(visits)
    assert 330 <= gaps.min() <= gaps.max() <= 400
    left = grown[visits[2] + 1] / grown[visits[2]]
    assert np.mean(left) == pytest.approx(LEFT_SHARE_SD * np.sqrt(2.0 / np.pi), abs=0.03)
    # Without visits ten years are ten years of growth, with them at most about one.
    assert np.median(grown[-1]) < 0.3 * np.median(_growth(False, days[-1:])[0])


def test_a_battery_installed_since_the_visit_has_new_contacts() -> None:
    contacts = Contacts(1, _habits(True), ["A", "B"], np.full(2, NOMINAL))
    at_s = START_S + 2_000.0 * DAY_S
    grown = contacts.resistance_mohm(at_s, np.array([at_s, START_S]))
    assert grown[0] == 0.0 < grown[1]
