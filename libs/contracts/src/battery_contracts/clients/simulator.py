"""Client of the sensor simulator's control interface."""

from battery_contracts.clients.service import ServiceClient


class SimulatorClient(ServiceClient):
    """Ask the simulator; so far only for its readiness."""

    service = "sensor-simulator"
