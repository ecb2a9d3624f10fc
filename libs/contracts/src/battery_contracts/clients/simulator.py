"""Client of the sensor simulator's control interface."""

from battery_contracts.clients.service import ServiceClient


class SimulatorClient(ServiceClient):
    """Call the simulator; only its readiness so far."""

    service = "sensor-simulator"
