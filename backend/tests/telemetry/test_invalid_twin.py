"""Ingest over real HTTP against a twin that talks nonsense, hangs or is gone, and then is well again."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.clients.twin import TwinClient
from battery_contracts.enums import ReadingQuality
from battery_contracts.twin import EstimateRequest

from .world import Gateway, ago, reading, with_twin

Reply = tuple[int, bytes]


class TwinStandIn:
    """Stands at the twin's address; says what ``reply`` makes of a sound answer."""

    def __init__(self) -> None:
        self.reply: Callable[[dict[str, Any]], Reply] = well
        self.calls = 0
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    stand_in: TwinStandIn

    def do_POST(self) -> None:
        self.stand_in.calls += 1
        request = EstimateRequest.model_validate_json(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = self.stand_in.reply(sound_answer(request))
        # Who waited too long has gone.
        with contextlib.suppress(BrokenPipeError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def sound_answer(request: EstimateRequest) -> dict[str, Any]:
    answer = ConstantTwin(soc_pct=90.0).answer(request).model_dump_json()
    values: dict[str, Any] = json.loads(answer)
    return values


def well(answer: dict[str, Any]) -> Reply:
    return 200, json.dumps(answer).encode()


def slow(answer: dict[str, Any]) -> Reply:
    time.sleep(3.0)
    return well(answer)


LIES: dict[str, Callable[[dict[str, Any]], Reply]] = {
    "too high": lambda answer: well(answer | {"soc_pct": [4000.0]}),
    "negative": lambda answer: well(answer | {"soh_pct": [-3.0]}),
    "not a number": lambda answer: (200, json.dumps(answer | {"soc_pct": [float("nan")]}).encode()),
    "too few": lambda answer: well(answer | {"soc_pct": []}),
    "too many": lambda answer: well({name: values * 2 for name, values in answer.items()}),
    "a page": lambda _: (200, b"<html>It works</html>"),
    "half": lambda answer: (200, well(answer)[1][:40]),
    "nothing": lambda _: (200, b""),
    "error": lambda _: (500, b"Internal Server Error"),
    "slow": slow,
}


@pytest.fixture
def stand_in() -> Iterator[TwinStandIn]:
    standing = TwinStandIn()
    yield standing
    standing.server.shutdown()
    standing.server.server_close()


def asking(gateway: Gateway, url: str, breaker: CircuitBreaker) -> Gateway:
    return with_twin(gateway, TwinClient(httpx.AsyncClient(), url, token="t", timeout_s=0.5, breaker=breaker))


async def stored(gateway: Gateway) -> list[tuple[float | None, bool]]:
    rows = await gateway.rows("select soc_pct, quality from telemetry order by time")
    return [(row["soc_pct"], bool(row["quality"] & ReadingQuality.TWIN_UNAVAILABLE)) for row in rows]


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_never_stored_and_the_truth_is_again(gateway: Gateway, stand_in: TwinStandIn, lie: str) -> None:
    asked = asking(gateway, stand_in.url, CircuitBreaker())
    stand_in.reply = LIES[lie]
    assert (await asked.post({"readings": [reading(at=ago(300))]})).accepted == 1
    stand_in.reply = well
    assert (await asked.post({"readings": [reading(at=ago(200))]})).accepted == 1
    (before, after) = await stored(gateway)
    assert before[0] is None
    assert after == (90.0, False)


async def test_one_that_fails_again_and_again_is_left_alone_until_the_pause_is_over(
    gateway: Gateway, stand_in: TwinStandIn
) -> None:
    now = 0.0
    breaker = CircuitBreaker(threshold=3, pause_s=5.0, now_s=lambda: now)
    asked = asking(gateway, stand_in.url, breaker)
    stand_in.reply = LIES["error"]
    for seconds in range(300, 200, -10):
        assert (await asked.post({"readings": [reading(at=ago(seconds))]})).accepted == 1
    assert stand_in.calls == 3
    assert await stored(gateway) == [(None, True)] * 10
    stand_in.reply = well
    now = 6.0
    assert (await asked.post({"readings": [reading(at=ago(100))]})).accepted == 1
    assert (await stored(gateway))[-1] == (90.0, False)
    assert not breaker.is_open


async def test_a_twin_that_is_gone_costs_no_reading(gateway: Gateway, stand_in: TwinStandIn) -> None:
    stand_in.server.shutdown()
    stand_in.server.server_close()
    asked = asking(gateway, stand_in.url, CircuitBreaker())
    for seconds in (300, 200, 100):
        assert (await asked.post({"readings": [reading(at=ago(seconds))]})).accepted == 1
    assert await stored(gateway) == [(None, True)] * 3
