from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_twin.filter.states import FilterStates
from battery_twin.fleet import blob
from battery_twin.kernel import constants, layout

CIRCUIT = np.array([77, 77], np.int64)
OWNERS = [blob.fingerprint("BAT-1"), blob.fingerprint("BAT-2")]


def random_states(seed: int = 0, scale: float = 1.0) -> FilterStates:
    rng = np.random.default_rng(seed)
    states = FilterStates.empty(2)
    states.mean[:] = rng.normal(0, 1, states.mean.shape)
    root = scale * rng.normal(0, 1, states.covariance.shape)
    states.covariance[:] = root @ root.transpose(0, 2, 1)
    states.memory[:] = rng.uniform(0, 1e6, states.memory.shape)
    states.memory[:, layout.UNINFORMATIVE], states.memory[:, layout.HAS_EVIDENCE] = 1.0, 0.0
    states.memory[:, layout.BEGAN_FULL], states.memory[:, layout.AT_CUT_OFF] = 1.0, constants.SLOW_CUT_OFF
    states.memory[:, layout.SETTLED_GRADE] = constants.MEASURED
    return states


def test_a_state_survives_packing() -> None:
    states = random_states()
    packed = blob.pack(states, OWNERS, CIRCUIT)
    unpacked, faults = blob.unpack(packed, OWNERS, CIRCUIT)
    assert faults == [None, None]
    assert [len(packed_state) for packed_state in packed] == [blob.SIZE] * 2
    # A sweep of the fleet is read and written each minute: 1,944 states in one megabyte.
    assert blob.SIZE <= 520
    assert np.array_equal(unpacked.mean, states.mean)
    assert np.allclose(unpacked.covariance, states.covariance, rtol=3e-6, atol=3e-6)
    assert np.allclose(unpacked.memory, states.memory, rtol=1e-7)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e3))
def test_unpacked_covariances_are_positive_semidefinite(seed: int, scale: float) -> None:
    states = random_states(seed, scale)
    # Nearly singular: one state is the sum of two others.
    states.covariance[:] += 1e6 * scale**2 * np.ones((layout.STATE_SIZE, layout.STATE_SIZE))
    unpacked, _ = blob.unpack(blob.pack(states, OWNERS, CIRCUIT), OWNERS, CIRCUIT)
    for covariance in unpacked.covariance:
        assert np.array_equal(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance).min() >= 0


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda packed: packed[:-1], blob.WRONG_LENGTH),
        (lambda packed: packed + b"x", blob.WRONG_LENGTH),
        (lambda packed: packed[:40] + bytes([packed[40] ^ 1]) + packed[41:], blob.DAMAGED),
    ],
    ids=["short", "long", "bit"],
)
def test_a_damaged_state_is_named_and_the_other_kept(damage: Callable[[bytes], bytes], fault: str) -> None:
    first, second = blob.pack(random_states(), OWNERS, CIRCUIT)
    unpacked, faults = blob.unpack([damage(first), second], OWNERS, CIRCUIT)
    assert faults == [fault, None]
    assert np.array_equal(unpacked.mean[1], random_states().mean[1])


def test_another_battery_circuit_and_version_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = blob.pack(random_states(), OWNERS, CIRCUIT)
    assert blob.unpack([second, first], OWNERS, CIRCUIT)[1] == [blob.OTHER_BATTERY] * 2
    assert blob.unpack([first, second], OWNERS, CIRCUIT + 1)[1] == [blob.OTHER_CIRCUIT] * 2
    monkeypatch.setattr(blob, "VERSION", 3)
    newer = blob.pack(random_states(), OWNERS, CIRCUIT)
    monkeypatch.undo()
    assert blob.unpack(newer, OWNERS, CIRCUIT)[1] == [blob.OTHER_VERSION] * 2


def test_no_state_is_no_fault() -> None:
    assert blob.unpack([None, b""], OWNERS, CIRCUIT)[1] == [None, None]
