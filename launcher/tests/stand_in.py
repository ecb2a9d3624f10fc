"""Stands in for each of the platform's commands, by its own file name; records every call in DATA_DIR/calls."""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path(os.environ["DATA_DIR"])
NAME = Path(sys.argv[0]).name
ARGUMENTS = sys.argv[1:]


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": "ready", "checks": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def note(what: str) -> None:
    with (DATA / "calls").open("a") as calls:
        calls.write(what + "\n")


def option(name: str) -> Path:
    return Path(ARGUMENTS[ARGUMENTS.index(name) + 1])


def serve() -> None:
    note(f"{NAME} serves")
    if NAME in os.environ.get("STAND_IN_STUBBORN", "").split(","):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Health).serve_forever()


def main() -> None:
    if not ARGUMENTS or ARGUMENTS[0] == "serve":
        serve()
        return
    note(f"{NAME} {ARGUMENTS[0]}")
    if ARGUMENTS[0] == os.environ.get("STAND_IN_FAILS"):
        sys.exit("planted failure")
    if ARGUMENTS[0] == "catalogue":
        option("--out").write_text("battery_id\n")
    if ARGUMENTS[0] == "history":
        option("--out").mkdir()
        option("--checkpoint").write_bytes(b"world")
        (option("--out") / "manifest.json").write_text("{}")
    if ARGUMENTS[0] == "load-history":
        seconds = float(os.environ.get("STAND_IN_LOAD_S", "0"))
        for done in range(11):
            sys.stdout.write(json.dumps({"phase": "load", "done": done, "total": 10}) + "\n")
            sys.stdout.flush()
            time.sleep(seconds / 10)
        note("history is in")


main()
