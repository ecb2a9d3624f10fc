import pytest

from battery_contracts.clients.breaker import CircuitBreaker


class ManualClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def opened(clock: ManualClock) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, pause_s=5, max_pause_s=30, now_s=clock)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_it_opens_after_the_threshold_and_not_before(clock: ManualClock) -> None:
    breaker = CircuitBreaker(threshold=3, now_s=clock)
    for _ in range(2):
        breaker.failed()
    assert breaker.admit()
    assert not breaker.is_open
    breaker.failed()
    assert not breaker.admit()
    assert breaker.is_open


def test_a_success_in_between_restarts_the_count(clock: ManualClock) -> None:
    breaker = CircuitBreaker(threshold=3, now_s=clock)
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admit()


def test_one_trial_after_the_pause_and_only_one(clock: ManualClock) -> None:
    breaker = opened(clock)
    clock.now_s += 4.9
    assert not breaker.admit()
    clock.now_s += 0.2
    assert breaker.admit()
    assert not breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert breaker.admit()


def test_the_pause_doubles_up_to_its_limit(clock: ManualClock) -> None:
    breaker = opened(clock)
    for pause_s in (5, 10, 20, 30, 30):
        clock.now_s += pause_s - 0.1
        assert not breaker.admit()
        clock.now_s += 0.2
        assert breaker.admit()
        breaker.failed()


def test_a_trial_without_a_verdict_may_be_repeated(clock: ManualClock) -> None:
    breaker = opened(clock)
    clock.now_s += 6
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit()
