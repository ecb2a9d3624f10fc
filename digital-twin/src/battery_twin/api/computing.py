"""Questions that cost: a few side by side, each with a deadline, and cancelled when nobody waits for the answer."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from battery_servicekit.asker import while_connected
from battery_servicekit.problems import Invalid, Unavailable
from battery_twin.deadline import Deadline, TimeOver

SIDE_BY_SIDE: Final = 2
ANSWER_WITHIN_S: Final = 15.0
QUEUE_FOR_S: Final = 5.0
Answer = TypeVar("Answer")


class TooCostly(Invalid):
    """The question takes longer than one may."""

    code = "too_costly"


class Busy(Unavailable):
    """Other questions are being computed; try again later."""

    code = "busy"
    sends = ("Retry-After",)


class Computing:
    """The slots for questions that cost; estimates have none, they are always answered.

    Parameters
    ----------
    answer_within_s
        Time for one computation [s].
    queue_for_s
        How long a question waits for a slot [s].
    """

    def __init__(
        self,
        *,
        side_by_side: int = SIDE_BY_SIDE,
        answer_within_s: float = ANSWER_WITHIN_S,
        queue_for_s: float = QUEUE_FOR_S,
    ) -> None:
        self._slots = asyncio.Semaphore(side_by_side)
        self._answer_within_s = answer_within_s
        self._queue_for_s = queue_for_s

    async def run(self, request: Request, work: Callable[[Deadline], Answer]) -> Answer:
        """Compute in a thread.

        Raises
        ------
        Busy
            No slot became free.
        TooCostly
            The time was over.
        AskerLeft
            The connection was closed meanwhile.
        """
        try:
            await asyncio.wait_for(self._slots.acquire(), self._queue_for_s)
        except TimeoutError:
            detail = "Other simulations are being computed; try again in some seconds."
            raise Busy(detail, headers={"Retry-After": "10"}) from None
        # The slot is free again only when the thread has ended: it ends at the next check of its deadline.
        try:
            deadline = Deadline(self._answer_within_s)
            return await while_connected(request, run_in_threadpool(partial(work, deadline)), stop=deadline.cancel)
        except TimeOver:
            raise TooCostly(
                f"This takes longer than {self._answer_within_s:g} s; ask for fewer blocks or a shorter time."
            ) from None
        finally:
            self._slots.release()
