"""Any order of calls, results and pauses against a plain model of the circuit breaker."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from battery_contracts.clients.breaker import CircuitBreaker

THRESHOLD, PAUSE_S, MAX_PAUSE_S = 3, 5.0, 30.0


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.breaker = CircuitBreaker(THRESHOLD, PAUSE_S, MAX_PAUSE_S, now_s=lambda: self.now_s)
        self.failures = 0
        self.blocked_until_s = 0.0
        self.calls_under_way = 0

    @property
    def is_tripped(self) -> bool:
        return self.failures >= THRESHOLD

    @rule()
    def call(self) -> None:
        may_go = not self.is_tripped or (self.now_s >= self.blocked_until_s and self.calls_under_way == 0)
        if self.is_tripped and self.calls_under_way:
            # One trial at a time.
            assert not self.breaker.admit()
            return
        assert self.breaker.admit() == may_go
        self.calls_under_way += may_go

    @precondition(lambda self: self.calls_under_way == 1)
    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        self.calls_under_way = 0
        self.failures = 0

    @precondition(lambda self: self.calls_under_way == 1)
    @rule()
    def fail(self) -> None:
        self.breaker.failed()
        self.calls_under_way = 0
        self.failures += 1
        if self.is_tripped:
            pause_s = min(PAUSE_S * 2 ** (self.failures - THRESHOLD), MAX_PAUSE_S)
            self.blocked_until_s = self.now_s + pause_s

    @precondition(lambda self: self.calls_under_way == 1)
    @rule()
    def cancel(self) -> None:
        self.breaker.abandoned()
        self.calls_under_way = 0

    @precondition(lambda self: self.calls_under_way > 1)
    @rule()
    def all_succeed(self) -> None:
        for _ in range(self.calls_under_way):
            self.breaker.succeeded()
        self.calls_under_way = 0
        self.failures = 0

    @rule(seconds=st.sampled_from([0.1, 4.9, 5.0, 10.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @invariant()
    def open_means_that_calls_are_blocked(self) -> None:
        blocked = self.is_tripped and (self.calls_under_way > 0 or self.now_s < self.blocked_until_s)
        assert self.breaker.is_open == blocked

    @invariant()
    def nothing_is_blocked_longer_than_the_longest_pause(self) -> None:
        assert self.blocked_until_s - self.now_s <= MAX_PAUSE_S


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
