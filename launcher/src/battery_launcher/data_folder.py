"""The folder with everything that the platform keeps: database, secrets, logs, history, spool."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from battery_launcher.errors import LaunchFailed

# The path of a Unix socket has at most 107 characters; the longest socket name below the folder has 20.
_LONGEST_SOCKET_FOLDER = 80


class DataFolder:
    """Paths below ``DATA_DIR`` and the records kept there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.run = root / "run"
        self.postgres = root / "postgres"
        self.history = root / "history"
        self.simulator = root / "simulator"
        self.fleet_csv = root / "fleet.csv"
        self.initial_checkpoint = self.simulator / "initial.checkpoint"

    def create(self) -> None:
        """Create the folders, private to this user; as root, other users may traverse them, since PostgreSQL must."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            for folder in (self.root, self.logs, self.run, self.simulator):
                folder.mkdir(parents=True, exist_ok=True)
            self.root.chmod(mode)
            self.run.chmod(0o700)
            self.logs.chmod(0o700)
        except OSError as error:
            raise LaunchFailed(f"DATA_DIR {self.root} cannot be written: {error.strerror}.") from error

    @property
    def is_ours(self) -> bool:
        """Whether a launch created this folder; no other folder may be removed."""
        return (self.root / "lock").is_file()

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        for path in self.root.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.root.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this launcher; the lock of a killed launcher ends with its process."""
        path = self.root / "lock"
        with path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise LaunchFailed(
                    f"The platform is already running on {self.root} (process {holder}). "
                    "Stop it with Ctrl-C there, or set another DATA_DIR and PORT."
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    @contextmanager
    def socket_folder(self) -> Iterator[Path]:
        """Provide a folder with a path short enough for Unix sockets."""
        beside = self.root / "sockets"
        if len(str(beside)) <= _LONGEST_SOCKET_FOLDER:
            folder = beside
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        else:
            folder = Path(tempfile.mkdtemp(prefix="battery-"))
        if os.geteuid() == 0:
            folder.chmod(0o711)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def read_json(self, name: str) -> dict[str, object]:
        """Return a record; an empty one when it is missing or unreadable, since every record can be rebuilt."""
        try:
            value = json.loads((self.root / name).read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def write_json(self, name: str, value: dict[str, object]) -> None:
        """Replace a record atomically."""
        write_private(self.root / name, json.dumps(value, indent=2) + "\n")


class Steps:
    """Completed steps of the first run, for one database."""

    _FILE = "steps.json"

    def __init__(self, folder: DataFolder, database_url: str | None) -> None:
        self._folder = folder
        # Another database starts empty, whatever this folder has recorded.
        self._database = "embedded" if database_url is None else hashlib.sha256(database_url.encode()).hexdigest()[:16]
        record = folder.read_json(self._FILE)
        names = record.get("done") if record.get("database") == self._database else None
        self._done = {str(name) for name in names} if isinstance(names, list) else set()

    def is_done(self, step: str) -> bool:
        """Return whether this launch or an earlier one completed a step."""
        return step in self._done

    def mark(self, step: str) -> None:
        """Record a completed step."""
        self._done.add(step)
        self._folder.write_json(self._FILE, {"database": self._database, "done": sorted(self._done)})


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; after a crash it is either the old or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
