"""Client of the prediction service."""

from battery_contracts.clients.service import ServiceClient


class MlClient(ServiceClient):
    """Ask the prediction service; so far only for its readiness."""

    service = "ml-pipeline"
