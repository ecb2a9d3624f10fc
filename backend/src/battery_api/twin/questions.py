"""Questions to the digital twin that cost seconds: one at a time for each caller, so that others need not wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from battery_api.accounts.principal import Principal
from battery_servicekit.problems import DomainError


class QuestionRunning(DomainError):
    """The caller asked something that is still being computed."""

    code, status = "question_running", 429
    sends = ("Retry-After",)


class RunningQuestions:
    """Who is waiting for an answer now, in this process."""

    def __init__(self) -> None:
        self._asking: set[str] = set()

    @contextmanager
    def asked_by(self, principal: Principal) -> Iterator[None]:
        """Count a question while it runs; raises `QuestionRunning` if another one of the same caller does."""
        if principal.name in self._asking:
            raise QuestionRunning(
                "Your previous simulation is still being computed; wait for its answer or close it.",
                headers={"Retry-After": "5"},
            )
        self._asking.add(principal.name)
        try:
            yield
        finally:
            self._asking.discard(principal.name)


QUESTIONS = RunningQuestions()
"""Those of this process."""
