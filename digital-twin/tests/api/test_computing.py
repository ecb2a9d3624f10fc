"""Questions that cost: deadline, bounded memory, few side by side, cancelled when nobody waits."""

import asyncio
import threading
import time
from typing import Any, cast

import httpx
import pytest
from fastapi import Request

from battery_contracts.twin_analysis import MAX_PROFILE_S, BlockState, LoadStep, SimulateRequest, SimulateResponse
from battery_servicekit.asker import AskerLeft
from battery_twin.api.app import create_app
from battery_twin.api.computing import Busy, Computing, TooCostly
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.deadline import Deadline, TimeOver
from battery_twin.runtime import string as runtime_string
from battery_twin.runtime.string import MAX_POINTS, simulate


class Asker:
    """A connection that a test closes."""

    def __init__(self) -> None:
        self.has_left = False

    async def is_disconnected(self) -> bool:
        return self.has_left


def request_of(asker: Asker) -> Request:
    return cast("Request", asker)


def endless(deadline: Deadline) -> None:
    while True:
        deadline.check()
        time.sleep(0.001)


def question(blocks: int, steps: int, step_s: float) -> dict[str, Any]:
    block = {"soc_pct": 100, "soh_pct": 100}
    return {
        "rated_ah": 120,
        "blocks": [{"battery_id": f"B{number}"} | block for number in range(blocks)],
        "profile": [{"duration_s": step_s, "current_a": 0.0}] * steps,
    }


async def test_an_endless_question_is_refused_after_its_time() -> None:
    app = create_app()
    app.state.computing = Computing(answer_within_s=3.0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://twin/api/v1", timeout=60
    ) as client:
        answer = await client.post("/simulate", json=question(400, 5000, 30.0))
        assert (answer.status_code, answer.json()["code"]) == (422, "too_costly")
        # Nothing goes on behind it: the next question has the service to itself.
        quick = await client.post(
            "/simulate", json=question(1, 1, 60.0) | {"profile": [{"duration_s": 600, "current_a": -300}]}
        )
    assert quick.status_code == 200


async def test_a_profile_of_a_month_is_refused_with_the_limit() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://twin/api/v1") as client:
        answer = await client.post("/simulate", json=question(2, 30, 86_400.0))
    assert answer.status_code == 422
    assert "at most 172800 s" in answer.text


def test_a_long_course_is_thinned_while_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    add = runtime_string._Course.add

    def counted(course: runtime_string._Course, instant: Any) -> None:
        add(course, instant)
        kept.append(len(course.instants))

    monkeypatch.setattr(runtime_string._Course, "add", counted)
    request = SimulateRequest(
        blocks=[BlockState(battery_id="B", soc_pct=100)],
        profile=[LoadStep(duration_s=600, current_a=0.0)],
        rated_ah=120,
    )
    found: SimulateResponse = simulate(request, data_sheet_parameters(120.0))
    assert len(kept) > 5000
    assert max(kept) <= MAX_POINTS
    assert MAX_POINTS / 2 <= len(found.time_s) <= MAX_POINTS
    steps = {round(later - earlier, 6) for earlier, later in zip(found.time_s, found.time_s[1:], strict=False)}
    assert len(steps) == 1
    assert found.time_s[-1] > 0.98 * MAX_PROFILE_S


async def test_a_question_whose_asker_leaves_is_ended() -> None:
    asker, computing = Asker(), Computing(answer_within_s=60)
    ended = threading.Event()

    def work(deadline: Deadline) -> None:
        try:
            endless(deadline)
        except TimeOver:
            ended.set()
            raise

    asked = asyncio.create_task(computing.run(request_of(asker), work))
    await asyncio.sleep(0.1)
    asker.has_left = True
    with pytest.raises(AskerLeft):
        await asked
    assert ended.is_set()


async def test_few_run_side_by_side_and_the_others_have_to_come_back() -> None:
    computing = Computing(side_by_side=2, answer_within_s=1.0, queue_for_s=0.2)
    asked = [asyncio.create_task(computing.run(request_of(Asker()), endless)) for _ in range(3)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Busy", "TooCostly", "TooCostly"]
    (busy,) = [outcome for outcome in outcomes if isinstance(outcome, Busy)]
    assert busy.headers["Retry-After"] == "10"
    # The slots are free again.
    with pytest.raises(TooCostly):
        await computing.run(request_of(Asker()), endless)
