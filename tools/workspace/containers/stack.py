"""The services of a compose file, started in its order and watched as it says."""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from environments import TaskFailed, print_line
from members import ROOT

from containers.build import Image
from containers.network import Networks
from containers.rootfs import Bind, RootedProgram

_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}")
_HEALTHY_WITHIN_S = 240.0
_ENDS_WITHIN_S = 1200.0


@dataclass
class Container:
    """A running replica of a service."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors="replace")

    def succeeds(self, command: Sequence[str], user: str, environment: Mapping[str, str]) -> bool:
        """Return whether a command succeeds when it is run beside it, as a health check is."""
        uid, _, gid = user.partition(":")
        enter = ["nsenter", f"--target={self.process.pid}", "--mount", "--net", "--root", "--wd"]
        words = [*enter, "setpriv", f"--reuid={uid}", f"--regid={gid or uid}", "--clear-groups", "env", "-i"]
        words += [f"{name}={value}" for name, value in environment.items()]
        return subprocess.run([*words, *command], check=False, capture_output=True, timeout=60).returncode == 0  # noqa: S603

    def has_ended(self) -> bool:
        """Return whether its program has ended."""
        return self.process.poll() is not None

    def stop(self) -> int:
        """Ask it to end, as `docker stop` does; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


@dataclass
class Stack:
    """Services of a compose file with their images; ``variables`` are what its ``${NAME}`` stand for."""

    compose: Mapping[str, Any]
    images: Mapping[str, Image]
    networks: Networks
    folder: Path
    secrets: Path
    variables: Mapping[str, str]
    containers: dict[str, list[Container]] = field(default_factory=dict)

    def up(self, profiles: set[str]) -> None:
        """Start every service of some profiles that has an image, each when what it waits for is there."""
        services = self.compose["services"]
        chosen = {
            name: service
            for name, service in services.items()
            if profiles & set(service["profiles"]) and name in self.images
        }
        for name in services:
            if profiles & set(services[name]["profiles"]) and name not in chosen:
                print_line(f"  {name}: nothing stands in for {services[name]['image']}; left out")
        for name in _ordered(chosen):
            self._await(name, chosen)
            self.start(name)

    def start(self, name: str) -> list[Container]:
        """Start the replicas of a service, beside those that run or have ended, and return them."""
        started = []
        service = self._resolved(self.compose["services"][name])
        for _ in range(service.get("deploy", {}).get("replicas", 1)):
            container = f"{name}-{len(self.containers.get(name, ())) + 1}"
            print_line(f"  starting {container}")
            networks = [] if service.get("network_mode") == "none" else list(service["networks"])
            namespace = self.networks.attach(container, name, networks)
            scratch = self.folder / container
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            words = self._program(name, service, namespace, networks).words(scratch)
            log = scratch / "log"
            process = subprocess.Popen(words, stdout=log.open("wb"), stderr=subprocess.STDOUT)  # noqa: S603
            started.append(Container(container, process, log))
            self.containers.setdefault(name, []).append(started[-1])
        return started

    def wait_until_healthy(self, name: str) -> None:
        """Wait for the health check of every replica.

        Raises
        ------
        TaskFailed
            One has ended or did not become healthy; the message has its log.
        """
        service = self._resolved(self.compose["services"][name])
        test = service["healthcheck"]["test"]
        command = test[1:] if test[0] == "CMD" else ["sh", "-c", test[1]]
        for container in self.containers[name]:
            check = partial(container.succeeds, command, self._user(name, service), self._environment(name, service))
            self._wait(container, check, "becomes healthy", _HEALTHY_WITHIN_S)

    def down(self) -> dict[str, int]:
        """End every container, the last first; return the exit codes of those that were running."""
        codes = {}
        for replicas in reversed(list(self.containers.values())):
            for container in replicas:
                if container.process.poll() is None:
                    codes[container.name] = container.stop()
        self.containers.clear()
        return codes

    def _await(self, name: str, chosen: Mapping[str, Any]) -> None:
        for needed, how in self.compose["services"][name].get("depends_on", {}).items():
            if needed not in chosen:
                continue
            if how["condition"] == "service_healthy":
                self.wait_until_healthy(needed)
            elif how["condition"] == "service_completed_successfully":
                for container in self.containers[needed]:
                    self._wait(container, container.has_ended, "ends", _ENDS_WITHIN_S, may_end=True)
                    if container.process.returncode != 0:
                        raise TaskFailed(f"{container.name} failed:\n{container.text()[-4000:]}")

    def _wait(
        self, container: Container, is_true: Callable[[], bool], what: str, seconds: float, *, may_end: bool = False
    ) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            ended = container.process.poll() is not None and not may_end
            if ended or time.monotonic() > deadline:
                raise TaskFailed(f"{container.name} never {what}:\n{container.text()[-4000:]}")
            time.sleep(0.5)

    def _program(self, name: str, service: Mapping[str, Any], namespace: str, networks: list[str]) -> RootedProgram:
        image = self.images[name]
        command = service.get("command", image.config.command)
        words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
        limits = service.get("ulimits", {})
        return RootedProgram(
            layers=image.layers,
            # Everything in the compose file is read-only; without an upper layer nothing else is possible.
            command=[*image.config.entrypoint, *words],
            environment=self._environment(name, service),
            folder=image.config.folder,
            user=self._user(name, service),
            binds=[*self.networks.resolver(networks), *self._binds(name, service)],
            memory_folders=service["tmpfs"],
            network=namespace,
            open_files=limits.get("nofile", 1048576),
        )

    def _environment(self, name: str, service: Mapping[str, Any]) -> dict[str, str]:
        own = {key: str(value) for key, value in service.get("environment", {}).items()}
        return {**self.images[name].config.environment, **own}

    def _user(self, name: str, service: Mapping[str, Any]) -> str:
        return str(service.get("user", self.images[name].config.user))

    def _binds(self, name: str, service: Mapping[str, Any]) -> Iterator[Bind]:
        for secret in service.get("secrets", ()):
            yield Bind(self.secrets / secret, f"/run/secrets/{secret}")
        for entry in service.get("volumes", ()):
            source, target, *mode = entry.split(":")
            if source.startswith("."):
                yield Bind(ROOT / source, target)
                continue
            volume = self.folder / "volumes" / source
            if not volume.exists():
                self._fill(volume, self.images[name].layers, target)
            yield Bind(volume, target, is_writable="ro" not in mode)

    def _fill(self, volume: Path, layers: Sequence[Path], target: str) -> None:
        """Make a new volume: owner and content are those of the image's folder."""
        volume.mkdir(parents=True)
        for layer in layers:
            found = layer / target.strip("/")
            if found.is_dir():
                subprocess.run(["cp", "-a", f"{found}/.", str(volume)], check=True)  # noqa: S603, S607

    def _resolved(self, value: Any) -> Any:
        match value:
            case str():
                return _VARIABLE.sub(self._variable, value)
            case list():
                return [self._resolved(item) for item in value]
            case dict():
                return {key: self._resolved(item) for key, item in value.items()}
            case _:
                return value

    def _variable(self, found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else self.variables.get(found[1], found[2] or "")


def _ordered(services: Mapping[str, Any]) -> list[str]:
    """Return the names so that each comes after what it waits for."""
    done: list[str] = []
    while len(done) < len(services):
        ready = [
            name
            for name, service in services.items()
            if name not in done and all(need in done or need not in services for need in service.get("depends_on", {}))
        ]
        if not ready:
            raise TaskFailed("The services wait for each other in a circle")
        done += ready
    return done
