"""A start that is refused says why in lines that hold no secret."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from battery_servicekit.settings import ServiceSettings

SECRET = "supersecretsupersecretsupersecret99"
START = """
from battery_servicekit.settings import ServiceSettings
from battery_servicekit.startup import load_settings
from pydantic import Field, SecretStr

class Settings(ServiceSettings):
    origins: list[str] = Field(default_factory=list)
    database_url: SecretStr | None = None

settings = load_settings(Settings)
print(settings.service_token.get_secret_value(), settings.database_url and settings.database_url.get_secret_value())
"""


def start(folder: Path, program: str = START, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=folder)


@pytest.mark.parametrize(
    ("variables", "named", "remedy"),
    [
        ({"ENVIRONMENT": "production"}, "SERVICE_TOKEN is not set", "openssl rand -hex 32"),
        ({"ENVIRONMENT": "production", "SERVICE_TOKEN": SECRET[:20]}, "SERVICE_TOKEN must have", "openssl rand"),
        ({"ENVIRONMENT": "production", "SERVICE_TOKEN": SECRET}, "SERVICE_TOKEN is easy to guess", "openssl rand"),
        ({"ENVIRONMENT": "production", "SERVICE_TOKEN": "", "PORT": ""}, "SERVICE_TOKEN is not set", "openssl"),
        ({"PORT": "eighty"}, "PORT: ", ".env.example"),
        ({"PORT": "70000"}, "PORT: Input should be less than or equal to 65535", ".env.example"),
        ({"ENVIRONMENT": "prod"}, "ENVIRONMENT: Input should be 'development'", ".env.example"),
        ({"ORIGINS": "https://a.example", "SERVICE_TOKEN": SECRET}, "ORIGINS must be JSON", "https://a.example"),
        ({"SERVICE_TOKEN_FILE": "nowhere"}, "SERVICE_TOKEN_FILE names nowhere, which cannot be read", "No such file"),
        ({"SERVICE_TOKEN_FILE": "."}, "SERVICE_TOKEN_FILE names .", "directory"),
        ({"SERVICE_TOKEN_FILE": "empty"}, "SERVICE_TOKEN_FILE names empty", "nothing else"),
        ({"SERVICE_TOKEN_FILE": "lines"}, "SERVICE_TOKEN_FILE names lines", "one line"),
        ({"SERVICE_TOKEN_FILE": "binary"}, "SERVICE_TOKEN_FILE names binary", "UTF-8"),
        ({"SERVICE_TOKEN_FILE": "token", "SERVICE_TOKEN": SECRET}, "SERVICE_TOKEN and SERVICE_TOKEN_FILE", "keep one"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_remedy(
    tmp_path: Path, variables: dict[str, str], named: str, remedy: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "lines").write_text(f"{SECRET}\n{SECRET}\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + SECRET.encode())
    (tmp_path / "token").write_text(SECRET)
    done = start(tmp_path, **variables)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Not started: {named}")
    assert remedy in line
    assert SECRET[:12] not in done.stderr + done.stdout


def test_everything_that_is_wrong_is_listed_at_once(tmp_path: Path) -> None:
    done = start(tmp_path, PORT="0", HEAD_TIMEOUT_S="-1")
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == ["PORT", "HEAD_TIMEOUT_S"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_comes_from_its_file(tmp_path: Path, ending: str) -> None:
    (tmp_path / "token").write_bytes(SECRET.encode() + ending.encode())
    (tmp_path / "url").write_text("postgresql://u:p w@db/x\n")
    done = start(tmp_path, SERVICE_TOKEN_FILE="token", DATABASE_URL_FILE=str(tmp_path / "url"))
    assert (done.returncode, done.stdout) == (0, f"{SECRET} postgresql://u:p w@db/x\n")


def test_a_file_may_be_named_in_the_env_file_and_only_for_secrets(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / ".env").write_text("SERVICE_TOKEN_FILE=token\nLOG_LEVEL_FILE=token\n")
    assert start(tmp_path).stdout.startswith(SECRET)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "")
    assert ServiceSettings().port == ServiceSettings.model_fields["port"].default


SERVE = """
import sys
from battery_servicekit.application import create_service, serve
from battery_servicekit.settings import ServiceSettings
app = create_service(service="s", title="s", description="s", version="1", checks=())
serve(app, ServiceSettings(host=sys.argv[1], port=int(sys.argv[2])))
"""


def serve_on(host: str, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SERVE, host, str(port)], stderr=subprocess.PIPE, text=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def probe(port: int, path: str = "/health") -> int:
    command = [sys.executable, "-m", "battery_servicekit.probe", path]
    return subprocess.run(command, check=False, env={**os.environ, "PORT": str(port)}).returncode


def wait_until_up(port: int, process: subprocess.Popen[str]) -> None:
    while probe(port) != 0:
        assert process.poll() is None, process.stderr and process.stderr.read()


def test_every_address_means_both_kinds() -> None:
    port = free_port()
    process = serve_on("::", port)
    try:
        wait_until_up(port, process)
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), timeout=5) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert connection.recv(64).startswith(b"HTTP/1.1 200")
        assert probe(port, "/nowhere") == 1
    finally:
        process.terminate()
        assert process.wait(timeout=20) in {0, -signal.SIGTERM}
    assert probe(port) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "localhost"])
def test_a_port_in_use_is_one_line(host: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = serve_on(host, port)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == f"Not started: PORT: {port} is in use on {host}. Stop what listens there, or set another PORT.\n"


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine_is_one_line(host: str) -> None:
    process = serve_on(host, free_port())
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = errors.splitlines()
    assert line.startswith(f"Not started: HOST: {host} is ")
    assert "0.0.0.0" in line


WRITE = """
from pathlib import Path
from battery_servicekit.startup import require_writable

require_writable(Path("data/simulator"), "DATA_DIR")
print("written", sorted(path.name for path in Path("data").rglob("*")))
"""


def test_a_folder_that_can_be_written_is_made_and_left_empty(tmp_path: Path) -> None:
    assert start(tmp_path, WRITE).stdout == "written ['simulator']\n"


def test_a_folder_that_cannot_be_written_ends_the_start_and_names_its_owner(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, where a volume should be")
    done = start(tmp_path, WRITE)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("Not started: DATA_DIR: data/simulator cannot be written (Not a directory).")
    assert f"data belongs to user {os.geteuid()} and this process runs as user {os.geteuid()}" in line


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which needs root")
def test_a_volume_of_another_user_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    other = 10_001
    # The interpreter may lie where that user cannot read; the process becomes that user after its imports.
    become = "import os\nfrom battery_servicekit import startup\nos.setgroups([])\nos.setgid(10001)\nos.setuid(10001)\n"
    os.chmod(tmp_path, 0o755)  # noqa: PTH101  # of the test's own folder
    done = start(tmp_path, become + WRITE)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"data belongs to user 0 and this process runs as user {other}" in line
    assert f"chown -R {other} data" in line
