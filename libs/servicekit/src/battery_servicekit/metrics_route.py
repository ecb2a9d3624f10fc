"""The route of the metrics, open or behind a token."""

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr

from battery_servicekit.service_token import require_service_token


def metrics_router(token: SecretStr | None = None) -> APIRouter:
    """Build the route ``/metrics``; with a token it answers only those who bring it as a bearer token."""
    guards = [Depends(require_service_token(token))] if token is not None and token.get_secret_value() else []
    router = APIRouter(include_in_schema=False, dependencies=guards)

    @router.get("/metrics")
    def get_metrics() -> Response:
        """Expose the metrics in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
