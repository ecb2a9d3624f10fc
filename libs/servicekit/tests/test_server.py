"""A real server process against clients that send too much, too slowly or nothing at all."""

import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.example import TOKEN

FOLDER = Path(__file__).parent.parent
HEAD_TIMEOUT_S = 1.0
BODY_TIMEOUT_S = 1.5
MAX_CONNECTIONS = 40
SETTINGS = {
    "HEAD_TIMEOUT_S": str(HEAD_TIMEOUT_S),
    "BODY_TIMEOUT_S": str(BODY_TIMEOUT_S),
    "BODY_MIN_BYTES_PER_S": "100000",
    "STALL_TIMEOUT_S": "1",
    "MAX_CONNECTIONS": str(MAX_CONNECTIONS),
    "SERVICE_TOKEN": TOKEN,
}
HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
WITHIN_S = 5.0


@contextmanager
def service(log: Path, **changes: str) -> Iterator[ServiceProcess]:
    environment = {"PYTHONPATH": str(FOLDER), **SETTINGS, **changes}
    with running_service([sys.executable, "-m", "tests.example"], environment, log=log) as running:
        running.wait_until_alive()
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with service(tmp_path_factory.mktemp("server") / "log") as running:
        yield running


def connect(server: ServiceProcess) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=WITHIN_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def open_connections(server: ServiceProcess) -> float:
    """Return how many connections the server counts, that of the question included."""
    lines = httpx.get(server.url + "/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("http_connections ")).split()[1])


def read_to_end(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes; raises TimeoutError while it does not."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer.split(b" ", 2)[1])


def problem_of(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    problem: dict[str, object] = json.loads(body)
    return problem


def feed(connection: socket.socket, piece: bytes, *, every_s: float) -> bytes:
    """Send a piece again and again until the server has closed the connection; return what it sent."""
    began = time.monotonic()
    connection.settimeout(every_s)
    received = b""
    while time.monotonic() - began < WITHIN_S:
        try:
            connection.sendall(piece)
            more = connection.recv(65536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return received
        received += more
        if not more:
            return received
    raise AssertionError(f"still open after {WITHIN_S} s")


@pytest.mark.parametrize(
    "head",
    [
        b"X-Large: " + b"x" * 5_000_000 + b"\r\n\r\n",
        b"X-Just: " + b"x" * 66_000 + b"\r\n\r\n",
        b"".join(b"X-%d: 1\r\n" % number for number in range(101)) + b"\r\n",
        b"X: 1\r\n" * 1_000_000 + b"\r\n",
    ],
    ids=["5 MB in one header", "above 64 KiB", "101 headers", "a million headers"],
)
def test_a_head_above_the_limits_is_431_at_once(server: ServiceProcess, head: bytes) -> None:
    with connect(server) as connection:
        try:
            connection.sendall(HEAD + head)
        except (ConnectionResetError, BrokenPipeError):
            return  # Closed while we were still sending: the answer may be lost with the rest.
        answer = read_to_end(connection)
    if answer:
        assert status_of(answer) == 431
        assert problem_of(answer)["code"] == "headers_too_large"


def test_a_long_address_and_a_trailer_are_heads_too(server: ServiceProcess) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(read_to_end(connection)) == 431
    with connect(server) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: ")
        answer = feed(connection, b"x" * 60_000, every_s=0.05)
        assert not answer or status_of(answer) in {408, 422, 431}


def test_large_heads_do_not_hold_up_others(server: ServiceProcess) -> None:
    def attack(_: int) -> None:
        with connect(server) as connection:
            try:
                connection.sendall(HEAD + b"X-Large: " + b"x" * 30_000_000)
            except (ConnectionResetError, BrokenPipeError):
                return

    memory_before = psutil.Process(server.process.pid).memory_info().rss
    with ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(attack, number) for number in range(4)]
        for _ in range(20):
            began = time.monotonic()
            assert httpx.get(server.url + "/health").status_code == 200
            assert time.monotonic() - began < 1.0
        for done in attacks:
            done.result()
    assert psutil.Process(server.process.pid).memory_info().rss - memory_before < 20_000_000


def test_what_is_within_the_limits_passes(server: ServiceProcess) -> None:
    headers = {f"X-{number}": "v" for number in range(90)} | {"X-Long": "x" * 60_000}
    with httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            assert client.get("/health", headers=headers).status_code == 200
            assert client.post("/items", json={"name": "n" * 3000}).status_code == 200


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (HEAD, b""),
        (HEAD, b"X"),
        (HEAD + b"\r\n", b"\r\n"),
        (HEAD + b"\r\n", b"G"),
        (POST + b"Content-Length: 4000\r\n\r\n{", b""),
        (POST + b"Content-Length: 4000\r\n\r\n{", b" "),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=[
        "silent", "blank lines", "half a head", "a byte of the head at a time", "blank lines after a request",
        "half a head after a request", "a body held", "a body by the byte", "an endless chunked body",
        "an endless body after the answer",
    ],
)  # fmt: skip
def test_a_slow_client_is_cut_off(server: ServiceProcess, opening: bytes, piece: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(opening)
        answer = feed(connection, piece, every_s=0.1) if piece else read_to_end(connection)
    if answer:
        assert status_of(answer) in {200, 408}
    if opening.startswith(POST):
        assert problem_of(answer)["code"] == "request_timeout"


def test_a_body_that_keeps_up_may_take_longer_than_the_deadline(server: ServiceProcess) -> None:
    with connect(server) as connection:
        body = json.dumps({"name": "n" * 3900}).encode()
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 1000):
            connection.sendall(body[start : start + 1000])
            time.sleep(BODY_TIMEOUT_S / 6)
        assert status_of(connection.recv(65536)) == 200


def test_requests_sent_without_waiting_for_answers_are_bounded(server: ServiceProcess) -> None:
    memory_before = psutil.Process(server.process.pid).memory_info().rss
    with connect(server) as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        connection.sendall(b"GET /items?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * 500_000)
    assert psutil.Process(server.process.pid).memory_info().rss - memory_before < 20_000_000
    with connect(server) as connection:
        connection.sendall((HEAD + b"\r\n") * 8)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 8:
            answers += connection.recv(65536)


def test_a_client_that_does_not_read_is_cut_off(server: ServiceProcess) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        while open_connections(server) > 1:
            assert time.monotonic() - began < WITHIN_S
            time.sleep(0.2)


def test_idle_connections_make_room_for_everyone_who_has_something_to_send(server: ServiceProcess) -> None:
    with ExitStack() as stack, httpx.Client(base_url=server.url) as sender:
        token = {"Authorization": f"Bearer {TOKEN}"}
        assert sender.get("/private", headers=token).status_code == 200
        kinds: list[Callable[[int], bytes]] = [
            lambda _: b"",
            lambda _: HEAD,
            lambda _: POST + b"Content-Length: 9\r\n\r\n{",
        ]
        for number in range(3 * MAX_CONNECTIONS):
            stack.enter_context(connect(server)).sendall(kinds[number % 3](number))
        assert psutil.Process(server.process.pid).num_fds() < MAX_CONNECTIONS + 30
        # The connection of the client that has logged in is still there, and new ones come in.
        first = sender.get("/private", headers=token)
        assert first.status_code == 200
        for _ in range(10):
            assert httpx.get(server.url + "/health").status_code == 200


def test_a_lowered_limit_of_descriptors_is_respected(tmp_path: Path) -> None:
    with service(tmp_path / "log", MAX_CONNECTIONS="5000", HEAD_TIMEOUT_S="30") as server, ExitStack() as stack:
        process = psutil.Process(server.process.pid)
        soft, _ = process.rlimit(psutil.RLIMIT_NOFILE)
        assert soft >= min(process.rlimit(psutil.RLIMIT_NOFILE)[1], 65_536)
        process.rlimit(psutil.RLIMIT_NOFILE, (400, 400))
        for _ in range(600):
            stack.enter_context(connect(server)).sendall(HEAD)
        assert process.num_fds() < 400
        for _ in range(20):
            assert httpx.get(server.url + "/health").status_code == 200


def test_a_reset_connection_makes_room_again(server: ServiceProcess) -> None:
    for _ in range(3 * MAX_CONNECTIONS):
        connection = connect(server)
        connection.sendall(HEAD)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert httpx.get(server.url + "/health").status_code == 200
    assert open_connections(server) < MAX_CONNECTIONS / 2
