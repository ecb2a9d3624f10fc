"""Stop work whose asker has left: nobody waits for the answer, and others wait for the processor."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fastapi import Request

from battery_servicekit.problems import DomainError

LOOK_EVERY_S: Final = 0.25
Answer = TypeVar("Answer")


class AskerLeft(DomainError):
    """The connection was closed before the answer was ready; nobody reads this one."""

    code, status = "client_closed_request", 499


async def while_connected(
    request: Request, work: Awaitable[Answer], *, stop: Callable[[], None] | None = None
) -> Answer:
    """Await work while its asker stays; when they leave, end it and raise `AskerLeft`.

    Parameters
    ----------
    stop
        Ends work that cancelling cannot end, such as a thread; without it the work is cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
            if await request.is_disconnected():
                raise AskerLeft("The connection was closed before the answer was ready.")
        return task.result()
    finally:
        if not task.done():
            # A thread ends only by itself, and what it holds is free only then.
            if stop is None:
                task.cancel()
            else:
                stop()
            await asyncio.wait({task})
