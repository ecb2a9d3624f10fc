"""Networks of a compose file: a bridge each, a network namespace for each container, and names that resolve."""

import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from containers.bases import find_base
from containers.rootfs import Bind, RootedProgram

HUB = "battery-hub"
"""The namespace of the bridges; what runs there is outside, and reaches what is published."""


@dataclass
class Networks:
    """Bridges by name of network, and the addresses that were given out."""

    folder: Path
    bases: Path
    names: Sequence[str]
    given: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    namespaces: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def open(self) -> None:
        """Make the bridges and answer for names on each."""
        self.close()
        _ip("netns", "add", HUB)
        self.namespaces.append(HUB)
        _inside(HUB, "link", "set", "lo", "up")
        for number, name in enumerate(self.names):
            _inside(HUB, "link", "add", f"br-{name}", "type", "bridge")
            _inside(HUB, "addr", "add", f"10.89.{number}.1/24", "dev", f"br-{name}")
            _inside(HUB, "link", "set", f"br-{name}", "up")
        self._write_names()
        base = find_base("names", self.bases)
        assert base is not None
        command = ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root"]
        command += ["--hostsdir=/names", "--local-ttl=1", "--localise-queries", "--pid-file="]
        self._start("dnsmasq", base.layers, command)

    def attach(self, container: str, service: str, networks: Iterable[str]) -> str:
        """Give a container its namespace, with an address in each network; return the namespace."""
        namespace = f"battery-{container}"
        _ip("netns", "add", namespace)
        self.namespaces.append(namespace)
        _inside(namespace, "link", "set", "lo", "up")
        for network in networks:
            number = self.names.index(network)
            host = 10 + sum(len(addresses) for addresses in self.given.values())
            address = f"10.89.{number}.{host}"
            outer, inner = f"v{number}x{host}", f"eth{number}"
            _inside(HUB, "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", namespace)
            _inside(HUB, "link", "set", outer, "master", f"br-{network}", "up")
            _inside(namespace, "addr", "add", f"{address}/24", "dev", inner)
            _inside(namespace, "link", "set", inner, "up")
            self.given.setdefault(service, []).append((network, address))
        self._write_names()
        return namespace

    def resolver(self, networks: Sequence[str]) -> list[Bind]:
        """Return the file that tells a container of some networks where names are answered."""
        if not networks:
            return []
        number = self.names.index(networks[0])
        path = self.folder / f"resolv-{networks[0]}.conf"
        path.write_text(f"nameserver 10.89.{number}.1\noptions ndots:0\n")
        return [Bind(path, "/etc/resolv.conf")]

    def publish(self, port: int, service: str, network: str, inner_port: int) -> None:
        """Let what connects to a port of the hub reach a service."""
        base = find_base("names", self.bases)
        assert base is not None
        address = next(address for name, address in self.given[service] if name == network)
        command = ["/usr/bin/socat", f"TCP-LISTEN:{port},fork,reuseaddr", f"TCP:{address}:{inner_port}"]
        self._start(f"publish-{port}", base.layers, command)

    def addresses(self) -> Mapping[str, list[tuple[str, str]]]:
        """Return network and address of every replica by service."""
        return self.given

    def close(self) -> None:
        """End what answers and remove the namespaces; what lies in them goes with them."""
        for process in self.processes:
            process.kill()
            process.wait()
        for namespace in _ip("netns", "list").split():
            if namespace == HUB or namespace.startswith("battery-"):
                _ip("netns", "delete", namespace)
        self.namespaces.clear()
        self.processes.clear()

    def _start(self, name: str, layers: Sequence[Path], command: list[str]) -> None:
        scratch = self.folder / name
        scratch.mkdir(parents=True, exist_ok=True)
        program = RootedProgram(
            layers,
            command,
            network=HUB,
            memory_folders=["/tmp:mode=1777", "/run:mode=0755"],  # noqa: S108  # of its root file system
            binds=[Bind(self.folder / "names", "/names")],
        )
        log = (scratch / "log").open("wb")
        self.processes.append(subprocess.Popen(program.words(scratch), stdout=log, stderr=subprocess.STDOUT))  # noqa: S603
        time.sleep(0.5)
        if self.processes[-1].poll() is not None:
            raise RuntimeError(f"{name} ended: {(scratch / 'log').read_text()[-2000:]}")

    def _write_names(self) -> None:
        """Dnsmasq reads a file of this folder anew when it changes."""
        folder = self.folder / "names"
        folder.mkdir(parents=True, exist_ok=True)
        for service, given in self.given.items():
            (folder / service).write_text("".join(f"{address} {service}\n" for _, address in given))


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)  # noqa: S603, S607
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _inside(namespace: str, *words: str) -> None:
    _ip("-netns", namespace, *words)
