"""Root file systems made of layers, and programs that run in them."""

import os
import resource
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of this machine that is seen inside."""

    source: Path
    target: str
    is_writable: bool = False


@dataclass(frozen=True)
class RootedProgram:
    """What is run, in what surroundings.

    ``layers`` are ordered from the lowest to the topmost; without ``upper`` the root is read-only. ``user`` is
    ``uid:gid``; another user than root keeps no capability and cannot gain any.
    """

    layers: Sequence[Path]
    command: Sequence[str]
    upper: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    binds: Sequence[Bind] = ()
    memory_folders: Sequence[str] = ()
    network: str | None = None
    open_files: int = 1048576

    def words(self, scratch: Path) -> list[str]:
        """Return the command that runs it from this machine; ``scratch`` is a folder for mount points."""
        script = scratch / "enter.sh"
        script.write_text("\n".join(self._script(scratch)) + "\n")
        enter = ["unshare", "--mount", "sh", "-eu", str(script)]
        return enter if self.network is None else ["ip", "netns", "exec", self.network, *enter]

    def _script(self, scratch: Path) -> list[str]:
        root, points = scratch / "root", scratch / "points"
        root.mkdir(parents=True, exist_ok=True)
        self._make_points(points)
        lower = ":".join(str(layer) for layer in (points, *reversed(self.layers)))
        options = f"lowerdir={lower}"
        if self.upper is not None:
            work = self.upper.with_name(f"{self.upper.name}.work")
            work.mkdir(exist_ok=True)
            options += f",upperdir={self.upper},workdir={work}"
        lines = [
            "mount --make-rprivate /",
            _join("mount", "-t", "overlay", "overlay", "-o", options, root),
            _join("mount", "-t", "proc", "proc", f"{root}/proc"),
            _join("mount", "--rbind", "/dev", f"{root}/dev"),
        ]
        for line in self.memory_folders:
            target, _, flags = line.partition(":")
            lines.append(_join("mount", "-t", "tmpfs", "tmpfs", "-o", flags or "mode=0755", f"{root}{target}"))
        for bind in self.binds:
            lines.append(_join("mount", "--bind", bind.source, f"{root}{bind.target}"))
            if not bind.is_writable:
                lines.append(_join("mount", "-o", "remount,bind,ro", f"{root}{bind.target}"))
        return [*lines, f"exec {self._inner(root)}"]

    def _inner(self, root: Path) -> str:
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        uid, _, gid = self.user.partition(":")
        who = ["setpriv", f"--reuid={uid}", f"--regid={gid or uid}", "--clear-groups"]
        if uid != "0":
            who += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        # More than this machine allows cannot be given.
        allowed = min(self.open_files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        inside = [
            "prlimit",
            f"--nofile={allowed}",
            *who,
            "env",
            "-i",
            f"--chdir={self.folder}",
            *variables,
            *self.command,
        ]
        return _join("chroot", root, *inside)

    def _make_points(self, points: Path) -> None:
        """Make what is mounted upon; an engine does the same."""
        shutil.rmtree(points, ignore_errors=True)
        for target in ("/proc", "/dev", *(line.partition(":")[0] for line in self.memory_folders)):
            (points / target.strip("/")).mkdir(parents=True, exist_ok=True)
        for bind in self.binds:
            point = points / bind.target.strip("/")
            if bind.source.is_dir():
                point.mkdir(parents=True, exist_ok=True)
            else:
                point.parent.mkdir(parents=True, exist_ok=True)
                point.touch()


def _join(*words: str | Path) -> str:
    return shlex.join(str(word) for word in words)


def finish_layer(layer: Path) -> int:
    """Cut times to whole seconds, as the archives of layers do, and return the bytes of the files' contents."""
    total = 0
    for folder, _, names in os.walk(layer):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            facts = path.lstat()
            os.utime(path, (int(facts.st_atime), int(facts.st_mtime)), follow_symlinks=False)
            total += facts.st_size if path.is_file() and not path.is_symlink() else 0
    return total


def run(program: RootedProgram, scratch: Path) -> None:
    """Run it to its end.

    Raises
    ------
    subprocess.CalledProcessError
        It ended with another code than 0; its output is in the error.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    words = program.words(scratch)
    subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
