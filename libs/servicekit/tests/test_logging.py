import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest


def log_lines(program: str, *, level: str = "INFO") -> list[dict[str, Any]]:
    """Run a program with the real logging configuration in a process of its own and parse its standard output."""
    head = f"""
    import logging, sys, structlog
    from battery_servicekit.logging import configure_logging
    configure_logging("example", level={level!r})
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(program)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_structlog_and_the_standard_library_share_one_format() -> None:
    by_structlog, by_library = log_lines("""
        structlog.get_logger("mine").info("read", battery="BAT-1", count=3)
        logging.getLogger("theirs").warning("slow %s", "query")
    """)
    assert {key: by_structlog[key] for key in ("event", "level", "logger", "service", "battery", "count")} == {
        "event": "read",
        "level": "info",
        "logger": "mine",
        "service": "example",
        "battery": "BAT-1",
        "count": 3,
    }
    assert {key: by_library[key] for key in ("event", "level", "logger", "service")} == {
        "event": "slow query",
        "level": "warning",
        "logger": "theirs",
        "service": "example",
    }
    assert by_structlog["timestamp"].endswith("Z")


def test_a_record_stays_on_one_line_whatever_it_contains() -> None:
    (record,) = log_lines(r"""
        from pathlib import Path
        structlog.get_logger("mine").info("a\nb", text='say "x"\n', path=Path("/tmp"), thing={1, 2}.__class__)
    """)
    assert record["event"] == "a\nb"
    assert record["text"] == 'say "x"\n'
    assert record["path"] == "/tmp"


@pytest.mark.parametrize("logger", ["structlog.get_logger('mine')", "logging.getLogger('theirs')"])
def test_exceptions_are_logged_without_local_variables(logger: str) -> None:
    (record,) = log_lines(f"""
        def connect():
            password = "sword" + "fish"
            raise OSError("no route")
        try:
            connect()
        except OSError:
            {logger}.exception("failed")
    """)
    (error,) = record["exception"]
    assert (error["exc_type"], error["exc_value"]) == ("OSError", "no route")
    assert [frame["name"] for frame in error["frames"]][-1] == "connect"
    assert "swordfish" not in json.dumps(record)


@pytest.mark.parametrize(("level", "events"), [("debug", ["d", "i", "w"]), ("INFO", ["i", "w"]), ("WARNING", ["w"])])
def test_the_level_applies_to_every_logger(level: str, events: list[str]) -> None:
    lines = log_lines(
        """
        log = structlog.get_logger("mine")
        log.debug("d"); log.info("i"); log.warning("w")
        """,
        level=level,
    )
    assert [line["event"] for line in lines] == events


def test_the_access_log_of_uvicorn_and_the_requests_of_httpx_are_silent() -> None:
    lines = log_lines("""
        logging.getLogger("uvicorn.access").error("GET / 200")
        logging.getLogger("httpx").info("HTTP Request: GET http://internal/?token=x")
        logging.getLogger("uvicorn.error").info("started")
    """)
    assert [line["event"] for line in lines] == ["started"]


def test_the_address_of_a_websocket_is_logged_without_its_query() -> None:
    lines = log_lines("""
        message = '%s - "WebSocket %s" [accepted]'
        logging.getLogger("uvicorn.error").info(message, "127.0.0.1:4", "/socket.io/?token=swordfish&EIO=4")
    """)
    assert [line["event"] for line in lines] == ['127.0.0.1:4 - "WebSocket /socket.io/" [accepted]']


def test_configuring_twice_does_not_log_twice() -> None:
    lines = log_lines("""
        configure_logging("again")
        logging.getLogger("theirs").info("once")
    """)
    assert [(line["event"], line["service"]) for line in lines] == [("once", "again")]
