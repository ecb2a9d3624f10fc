"""The job that keeps the runtime of every string in service beside its newest values.

A string is due once a minute, and at the next run after its load changed. On float, where little changes, it is only
simulated if its batteries or its load differ by more than noise from what the stored runtime was computed from, and at
least every ten minutes. No transaction is open while the twin computes.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from prometheus_client import Counter

from battery_api.context import ProcessContext
from battery_api.fleet.runtime_schemas import NoRuntimeReason, RuntimeLoad
from battery_api.twin import runtime_repository as repository
from battery_api.twin.blocks import unknown_of
from battery_api.twin.errors import SimulationRefused, TwinUnavailable
from battery_api.twin.loads import discharges, present_load_a, recorded_load
from battery_api.twin.runtime import request_of, simulate
from battery_api.twin.runtime_noise import differs
from battery_api.twin.runtime_repository import RuntimeColumns, RuntimeStringRow, StringBatteryRow
from battery_contracts.twin_analysis import SimulateRequest, SimulateResponse

_CHECK_S: Final = 60.0
_RETRY_S: Final = 15.0
"""While the twin is away, its circuit breaker bounds what a retry costs."""
_REFRESH_S: Final = 525.0
"""A check comes a minute and a run later at most, so that the stored runtime never is older than ten minutes."""
_LOAD_CHANGE: Final = 0.05
"""Relative change of the current of a discharge that makes its runtime another one."""
_SIDE_BY_SIDE: Final = 2
"""As many as the twin computes at once; people who ask wait for one simulation at most."""
_BEGIN_WITHIN_S: Final = 4.0
"""A run begins no simulation after this, so that the next run sees a string that begins to discharge meanwhile."""
_WRITTEN: Final = Counter(
    "string_runtimes_written_total", "Runtimes of strings written, or why there is none.", ("reason",)
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the stored runtime of a string was computed from, and when it was last compared with the present."""

    checked_at: datetime
    simulated_at: datetime
    is_discharging: bool
    load_a: float | None
    unknown: frozenset[str]
    request: SimulateRequest | None
    """None if there is no runtime."""


class RuntimeJob:
    """Computes the runtimes that are due each time it runs.

    What they were computed from is kept in memory: after a restart, or on the replica that takes over, every string is
    simulated once.
    """

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._known: dict[int, _Known] = {}

    async def run_once(self) -> int:
        """Bring the runtimes up to date; return how many strings were written."""
        now = self._context.clock.now()
        async with self._context.database.begin() as connection:
            strings = [row for row in await repository.list_strings(connection) if self._is_due(row, now)]
            batteries = await repository.list_batteries(connection, [row.key for row in strings]) if strings else {}
        # Those on battery first, then those that waited longest.
        strings.sort(key=lambda row: (not discharges(row, now), row.runtime_at is not None, row.runtime_at or now))
        due = deque((row, batteries[row.key]) for row in strings)
        begin_until_s = monotonic() + _BEGIN_WITHIN_S
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._work(due, now, begin_until_s)) for _ in range(_SIDE_BY_SIDE)]
        return sum(task.result() for task in tasks)

    async def _work(
        self, due: deque[tuple[RuntimeStringRow, list[StringBatteryRow]]], now: datetime, begin_until_s: float
    ) -> int:
        written = 0
        while due and monotonic() < begin_until_s:
            written += await self._refresh(*due.popleft(), now)
        return written

    def _is_due(self, string: RuntimeStringRow, now: datetime) -> bool:
        known = self._known.get(string.key)
        if known is None or string.runtime_at is None or known.is_discharging != discharges(string, now):
            return True
        if known.is_discharging and string.mode_since is not None and string.mode_since > string.runtime_at:
            # Lists do not show a runtime from before the present mode while it is on battery.
            return True
        present_a = present_load_a(string, now)
        if present_a is not None and _has_changed(known.load_a, present_a):
            return True
        is_unanswered = string.runtime_reason == NoRuntimeReason.TWIN_UNAVAILABLE
        return now - known.checked_at >= timedelta(seconds=_RETRY_S if is_unanswered else _CHECK_S)

    async def _refresh(self, string: RuntimeStringRow, rows: Sequence[StringBatteryRow], now: datetime) -> bool:
        """Compute and store the runtime of a string; return False if the stored one still holds."""
        load = recorded_load(string, now)
        request, unknown = request_of(string.code, load, rows, now), frozenset(unknown_of(rows, now))
        is_discharging, known = discharges(string, now), self._known.get(string.key)
        if known is not None and not is_discharging and _still_holds(string, known, request, unknown, now):
            self._known[string.key] = replace(known, checked_at=now)
            return False
        answer = request if isinstance(request, NoRuntimeReason) else await self._simulated(request)
        columns = _columns(now, load, len(unknown), answer)
        async with self._context.database.begin() as connection:
            await repository.write_runtime(connection, string.key, columns)
        _WRITTEN.labels(columns.reason or "none").inc()
        self._known[string.key] = _Known(
            checked_at=now,
            simulated_at=now,
            is_discharging=is_discharging,
            load_a=None if load is None else load.current_a,
            unknown=unknown,
            request=request if isinstance(answer, SimulateResponse) and isinstance(request, SimulateRequest) else None,
        )
        return True

    async def _simulated(self, request: SimulateRequest) -> SimulateResponse | NoRuntimeReason:
        twin = self._context.twin_analysis
        if twin is None or not twin.is_reachable:
            return NoRuntimeReason.TWIN_UNAVAILABLE
        try:
            return await simulate(twin, request)
        except TwinUnavailable:
            return NoRuntimeReason.TWIN_UNAVAILABLE
        except SimulationRefused:
            return NoRuntimeReason.OUTSIDE_MODEL


def _has_changed(before_a: float | None, present_a: float) -> bool:
    return before_a is None or abs(present_a - before_a) > _LOAD_CHANGE * abs(before_a)


def _still_holds(
    string: RuntimeStringRow,
    known: _Known,
    request: SimulateRequest | NoRuntimeReason,
    unknown: frozenset[str],
    now: datetime,
) -> bool:
    """Return whether the stored runtime of a string on float is that of the present estimates as well."""
    if known.request is None or isinstance(request, NoRuntimeReason) or known.is_discharging:
        return False
    if string.runtime_at != known.simulated_at or now - known.simulated_at >= timedelta(seconds=_REFRESH_S):
        return False
    return known.unknown == unknown and not differs(known.request, request)


def _columns(
    at: datetime, load: RuntimeLoad | None, unknown_count: int, answer: SimulateResponse | NoRuntimeReason
) -> RuntimeColumns:
    if isinstance(answer, NoRuntimeReason):
        return RuntimeColumns(at, None, None, None, None, None, None, unknown_count, answer.value)
    assert load is not None, "without a load nothing is simulated"
    return RuntimeColumns(
        at=at,
        p10_s=answer.runtime_p10_s,
        p50_s=answer.runtime_p50_s,
        p90_s=answer.runtime_p90_s,
        current_a=load.current_a,
        load_basis=load.basis.value,
        limiting_battery=answer.limiting_battery_id,
        withheld_count=unknown_count,
        reason=None,
    )
