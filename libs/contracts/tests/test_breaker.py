import pytest

from battery_contracts.clients.breaker import CircuitBreaker


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def hand() -> Hand:
    return Hand()


def opened(hand: Hand) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, pause_s=5, max_pause_s=30, now_s=hand)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_it_opens_after_the_threshold_and_not_before(hand: Hand) -> None:
    breaker = CircuitBreaker(threshold=3, now_s=hand)
    for _ in range(2):
        breaker.failed()
    assert breaker.admit()
    assert not breaker.is_open
    breaker.failed()
    assert not breaker.admit()
    assert breaker.is_open


def test_a_success_in_between_starts_the_count_anew(hand: Hand) -> None:
    breaker = CircuitBreaker(threshold=3, now_s=hand)
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admit()


def test_one_trial_after_the_pause_and_only_one(hand: Hand) -> None:
    breaker = opened(hand)
    hand.now_s += 4.9
    assert not breaker.admit()
    hand.now_s += 0.2
    assert breaker.admit()
    assert not breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert breaker.admit()


def test_the_pause_doubles_up_to_its_limit(hand: Hand) -> None:
    breaker = opened(hand)
    for pause_s in (5, 10, 20, 30, 30):
        hand.now_s += pause_s - 0.1
        assert not breaker.admit()
        hand.now_s += 0.2
        assert breaker.admit()
        breaker.failed()


def test_a_trial_without_a_verdict_may_be_repeated(hand: Hand) -> None:
    breaker = opened(hand)
    hand.now_s += 6
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit()
