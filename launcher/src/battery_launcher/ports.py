"""Which ports the platform listens on."""

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
    """The gateway's port, which users know, and those of the services behind it."""

    gateway: int
    twin: int
    ml: int
    simulator: int
    moved_from: int | None = None


def choose_ports(folder: DataFolder, *, host: str, wanted: int | None) -> Ports:
    """Pick the ports, keeping those of the last launch where they are still free, and record them."""
    gateway = _gateway_port(host, wanted)
    recorded = folder.read_json(_FILE)
    taken = {gateway}
    internal: dict[str, int] = {}
    for name in _INTERNAL:
        before = recorded.get(name)
        keep = isinstance(before, int) and before not in taken and is_free("127.0.0.1", before)
        internal[name] = before if keep and isinstance(before, int) else _any_free(taken)
        taken.add(internal[name])
    folder.write_json(_FILE, {"gateway": gateway, **internal})
    moved_from = DEFAULT_PORT if wanted is None and gateway != DEFAULT_PORT else None
    return Ports(gateway, internal["twin"], internal["ml"], internal["simulator"], moved_from)


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are still winding down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _gateway_port(host: str, wanted: int | None) -> int:
    if wanted is not None:
        if not is_free(host, wanted):
            raise LaunchFailed(
                f"Port {wanted} on {host} is taken by another program (or not allowed). "
                f"Choose another one: PORT={wanted + 1} make up"
            )
        return wanted
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _SEARCHED):
        if is_free(host, port):
            return port
    raise LaunchFailed(f"No free port from {DEFAULT_PORT} on; name one: PORT=9000 make up")


def _any_free(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
