import sys
from pathlib import Path

import httpx
import pytest

from battery_servicekit.testing.process import running_service

SERVER = """
import http.server, os
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Health).serve_forever()
"""


def test_a_service_is_awaited_and_killed(tmp_path: Path) -> None:
    with running_service([sys.executable, "-c", SERVER], {}, log=tmp_path / "log") as service:
        service.wait_until_alive()
        service.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(service.url + "/health")


def test_a_service_that_ends_shows_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no configuration')"]
    with (
        running_service(command, {}, log=tmp_path / "log") as service,
        pytest.raises(RuntimeError, match="no configuration"),
    ):
        service.wait_until_alive()
