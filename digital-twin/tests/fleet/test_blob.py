from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Blocks
from battery_twin.fleet import blob

CIRCUIT = np.array([77, 77], np.int64)
OWNERS = [blob.fingerprint("BAT-1"), blob.fingerprint("BAT-2")]


def blocks(seed: int = 0, scale: float = 1.0) -> Blocks:
    rng = np.random.default_rng(seed)
    made = Blocks.empty(2)
    made.mean[:] = rng.normal(0, 1, made.mean.shape)
    root = scale * rng.normal(0, 1, made.covariance.shape)
    made.covariance[:] = root @ root.transpose(0, 2, 1)
    made.memory[:] = rng.uniform(0, 1e6, made.memory.shape)
    made.memory[:, kernel.WAS_OPEN], made.memory[:, kernel.HAS_EVIDENCE] = 1.0, 0.0
    return made


def test_a_state_comes_back_as_it_went() -> None:
    made = blocks()
    packed = blob.pack(made, OWNERS, CIRCUIT)
    back, faults = blob.unpack(packed, OWNERS, CIRCUIT)
    assert faults == [None, None]
    assert [len(one) for one in packed] == [blob.SIZE] * 2
    assert blob.SIZE <= 300
    assert np.array_equal(back.mean, made.mean)
    assert np.allclose(back.covariance, made.covariance, rtol=3e-6, atol=3e-6)
    assert np.allclose(back.memory, made.memory, rtol=1e-7)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e3))
def test_what_comes_back_is_a_covariance(seed: int, scale: float) -> None:
    made = blocks(seed, scale)
    # Nearly singular: one state is the sum of two others.
    made.covariance[:] += 1e6 * scale**2 * np.outer(np.ones(7), np.ones(7))
    back, _ = blob.unpack(blob.pack(made, OWNERS, CIRCUIT), OWNERS, CIRCUIT)
    for covariance in back.covariance:
        assert np.array_equal(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance).min() >= 0


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda packed: packed[:-1], blob.FOREIGN_LENGTH),
        (lambda packed: packed + b"x", blob.FOREIGN_LENGTH),
        (lambda packed: packed[:40] + bytes([packed[40] ^ 1]) + packed[41:], blob.DAMAGED),
    ],
    ids=["short", "long", "bit"],
)
def test_a_spoilt_state_is_named_and_the_other_stands(spoil: Callable[[bytes], bytes], fault: str) -> None:
    first, second = blob.pack(blocks(), OWNERS, CIRCUIT)
    back, faults = blob.unpack([spoil(first), second], OWNERS, CIRCUIT)
    assert faults == [fault, None]
    assert np.array_equal(back.mean[1], blocks().mean[1])


def test_another_battery_circuit_and_version_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = blob.pack(blocks(), OWNERS, CIRCUIT)
    assert blob.unpack([second, first], OWNERS, CIRCUIT)[1] == [blob.OTHER_BATTERY] * 2
    assert blob.unpack([first, second], OWNERS, CIRCUIT + 1)[1] == [blob.OTHER_CIRCUIT] * 2
    monkeypatch.setattr(blob, "VERSION", 2)
    newer = blob.pack(blocks(), OWNERS, CIRCUIT)
    monkeypatch.undo()
    assert blob.unpack(newer, OWNERS, CIRCUIT)[1] == [blob.OTHER_VERSION] * 2


def test_no_state_is_no_fault() -> None:
    assert blob.unpack([None, b""], OWNERS, CIRCUIT)[1] == [None, None]
