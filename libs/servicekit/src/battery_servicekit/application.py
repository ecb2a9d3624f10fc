"""Assemble a service: the same errors, logs, health, metrics and operation ids everywhere."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from pydantic import SecretStr
from uvicorn.config import STARTUP_FAILURE

from battery_servicekit.body_limit import BodyLimitMiddleware
from battery_servicekit.disk import DiskWatch
from battery_servicekit.health import Check, health_router
from battery_servicekit.metrics_route import metrics_router
from battery_servicekit.middleware import RequestContextMiddleware
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.problems import install_problem_handlers
from battery_servicekit.server.connections import Connections
from battery_servicekit.server.http_protocol import BoundedHttpProtocol
from battery_servicekit.server.limits import BACKLOG, raise_descriptor_limit
from battery_servicekit.server.listening import bind_all
from battery_servicekit.server.websocket_protocol import BoundedWebSocketProtocol
from battery_servicekit.settings import ServiceSettings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_KEEP_ALIVE_S: Final = 30
"""Longer than clients keep an idle connection (httpx: 5 s); else both would end it at the same moment."""


def create_service(
    *,
    service: str,
    title: str,
    description: str,
    version: str,
    checks: Sequence[Check],
    lifespan: Lifespan | None = None,
    openapi_url: str = "/api/openapi.json",
    docs_url: str = "/api/docs",
    body_limit_bytes: int | None = None,
    unlimited_paths: Sequence[str] = (),
    stranger_limit_bytes: int | None = None,
    disk: DiskWatch | None = None,
    metrics_token: SecretStr | None = None,
) -> FastAPI:
    """Build an app with health, metrics, problem details and request ids; the caller adds the routes.

    Parameters
    ----------
    body_limit_bytes
        Maximum size of a request body; no limit when omitted.
    unlimited_paths
        Paths exempt from ``body_limit_bytes``, whose routes limit their own bodies.
    stranger_limit_bytes
        Maximum size of a body without credentials; that of every other when omitted.
    metrics_token
        What ``/metrics`` asks for; open when omitted or empty.
    disk
        Where the service keeps its data; readiness says when it is full.
    """
    # Its viewer comes with the package: a page of the origin that holds the session must not run foreign scripts.
    app = FastAPIOffline(
        docs_url=docs_url,
        redoc_url=None,
        static_url=f"{docs_url}/static",
        swagger_ui_oauth2_redirect_url=f"{docs_url}/oauth2-redirect",
        title=title,
        description=description,
        version=version,
        lifespan=lifespan,
        openapi_url=openapi_url,
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
    )
    install_problem_handlers(app)
    app.include_router(health_router(service, version, checks if disk is None else (*checks, disk.check())))
    app.include_router(metrics_router(metrics_token))
    if body_limit_bytes is not None:
        app.add_middleware(
            BodyLimitMiddleware,
            limit_bytes=body_limit_bytes,
            exempt_paths=unlimited_paths,
            stranger_limit_bytes=stranger_limit_bytes,
        )
    app.add_middleware(RequestContextMiddleware)
    serve_description(app)
    return app


def serve(app: FastAPI | Callable[..., object], settings: ServiceSettings, *, shutdown_timeout_s: int = 5) -> None:
    """Run an app on uvicorn, within the limits of the settings, until SIGTERM or SIGINT."""
    raise_descriptor_limit()
    connections = Connections(settings.connection_limits)
    listeners = bind_all(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedHttpProtocol.bounded_by(connections),
        ws=BoundedWebSocketProtocol.bounded_by(connections),
        ws_max_size=settings.max_websocket_message_bytes,
        backlog=BACKLOG,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_S,
        access_log=False,
        server_header=False,
        # Off: uvicorn trusts X-Forwarded-For from any local peer. Services behind proxies evaluate it themselves.
        proxy_headers=False,
        timeout_graceful_shutdown=shutdown_timeout_s,
    )
    server = uvicorn.Server(config)
    server.run(sockets=list(listeners))
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _operation_id(route: APIRoute) -> str:
    tag = str(route.tags[0]) if route.tags else "root"
    return f"{tag}_{route.name}".replace("-", "_")
