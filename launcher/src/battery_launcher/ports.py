"""Ports of the platform."""

import socket
from dataclasses import dataclass

from battery_launcher.data_folder import DataFolder
from battery_launcher.errors import LaunchFailed
from battery_launcher.settings import DEFAULT_PORT

_INTERNAL = ("twin", "ml", "simulator")
_FILE = "ports.json"
_SEARCHED = 100


@dataclass(frozen=True, slots=True)
class Ports:
    """The public port of the gateway and the internal ones of the services behind it."""

    gateway: int
    twin: int
    ml: int
    simulator: int
    moved_from: int | None = None


def choose_ports(folder: DataFolder, *, host: str, requested: int | None) -> Ports:
    """Choose and record the ports, keeping those of the last launch that are still free."""
    gateway = _gateway_port(host, requested)
    recorded = folder.read_json(_FILE)
    taken = {gateway}
    internal: dict[str, int] = {}
    for name in _INTERNAL:
        previous = recorded.get(name)
        if isinstance(previous, int) and previous not in taken and is_free("127.0.0.1", previous):
            internal[name] = previous
        else:
            internal[name] = _any_free(taken)
        taken.add(internal[name])
    folder.write_json(_FILE, {"gateway": gateway, **internal})
    moved_from = DEFAULT_PORT if requested is None and gateway != DEFAULT_PORT else None
    return Ports(gateway, internal["twin"], internal["ml"], internal["simulator"], moved_from)


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port with connections in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _gateway_port(host: str, requested: int | None) -> int:
    if requested is not None:
        if not is_free(host, requested):
            raise LaunchFailed(
                f"Port {requested} on {host} is taken by another program (or not allowed). "
                f"Choose another one: PORT={requested + 1} make up"
            )
        return requested
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _SEARCHED):
        if is_free(host, port):
            return port
    last = DEFAULT_PORT + _SEARCHED - 1
    raise LaunchFailed(f"No port from {DEFAULT_PORT} to {last} is free. Choose another one: PORT=9000 make up")


def _any_free(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
