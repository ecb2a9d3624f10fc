"""The thread that advances the world and owns the spool, so that the event loop stays free for requests."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class WorkThread:
    """Runs jobs one after another in its own thread: data that only it touches needs no lock."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="world-and-spool")

    async def run(
        self, job: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Run a job and return its result; cancelling the caller does not stop the job."""
        return await asyncio.wrap_future(self._executor.submit(job, *args, **kwargs))

    def close(self) -> None:
        """End the thread once its jobs are done."""
        self._executor.shutdown(wait=True)
