"""The service: remaining life predicted by the champion, the model registry, and training."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from battery_contracts.ml import NO_CHAMPION, RulBatchRequest
from battery_ml.api import models, prediction, training
from battery_ml.api.examples import EXAMPLES
from battery_ml.features.definition import FEATURES
from battery_ml.jobs.supervised_process import GRACE_S
from battery_ml.jobs.training import TrainingJobs
from battery_ml.jobs.worlds import WorldSource
from battery_ml.registry.champion import Champion
from battery_ml.registry.errors import RegistryError
from battery_ml.registry.shipped import install_shipped_model, shipped_model
from battery_ml.registry.store import Registry
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.probe import fault_of, probe_history
from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check, CheckState, Finding
from battery_servicekit.logging import configure_logging
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.service_token import service_guard
from battery_servicekit.settings import ServiceSettings
from battery_servicekit.startup import load_settings, require_writable

_log = structlog.get_logger(__name__)
VERSION = version("battery-ml")
DESCRIPTION = (
    "Days to 80 % of rated capacity as P10, P50 and P90 with reasons, predicted by the champion of a registry of "
    "immutable versions; promotion and rollback without a restart; training as a job."
)
BODY_LIMIT_BYTES = 256 << 20


class MlSettings(ServiceSettings):
    """Settings of the service, from the environment."""

    port: int = Field(default=8001, ge=1, le=65535)
    install_shipped_model: bool = Field(default=True, description="give an empty registry the model of the package")
    model_registry: str | None = Field(default=None, description="fsspec address; by default DATA_DIR/models")
    train_command: list[str] | None = Field(default=None, description="JSON list; by default battery-ml train")
    synth_command: list[str] | None = Field(default=None, description="JSON list; by default battery-synth")

    @property
    def registry_address(self) -> str:
        """Address of the model registry."""
        return self.model_registry or str((self.data_dir / "models").absolute())

    @property
    def training_command(self) -> list[str]:
        """Command of a training job; --seed, and --dataset or what describes its worlds, are appended."""
        default = [str(Path(sys.executable).with_name("battery-ml")), "train", "--registry", self.registry_address]
        return self.train_command or default

    @property
    def world_source(self) -> WorldSource:
        """What a training job is trained on that names no dataset."""
        return WorldSource(self.data_dir / "worlds", tuple(self.synth_command or ()))


def create_app(settings: MlSettings | None = None) -> FastAPI:
    """Build the service; without settings it serves only to describe its API."""
    chosen = settings or MlSettings.model_construct()
    registry = Registry(chosen.registry_address)
    champion = Champion(registry, lambda stored: Predictor(stored, FEATURES))
    jobs = TrainingJobs(chosen.training_command, chosen.world_source)

    history = probe_history()

    async def check_champion() -> Finding:
        predictor = await run_in_threadpool(champion.current)
        if predictor is None:
            return Finding(CheckState.DOWN, NO_CHAMPION)
        fault = await run_in_threadpool(fault_of, predictor, history)
        return Finding(CheckState.UP, predictor.version) if fault is None else Finding(CheckState.DOWN, fault)

    async def check_registry() -> Finding:
        await run_in_threadpool(champion.current)
        if champion.version is None or champion.fault is None:
            return Finding(CheckState.UP)
        return Finding(CheckState.DOWN, "champion_kept_as_it_was")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        cleaning = asyncio.create_task(_clean(jobs))
        yield
        cleaning.cancel()
        await asyncio.gather(cleaning, jobs.stop(), return_exceptions=True)

    app = create_service(
        service="battery-ml",
        title="Remaining life",
        description=DESCRIPTION,
        version=VERSION,
        checks=(Check("champion", check_champion, required=True), Check("registry", check_registry, required=False)),
        lifespan=lifespan,
        disk=None if settings is None else settings.disk_watch(),
        metrics_token=None if settings is None else settings.metrics_token,
        body_limit_bytes=BODY_LIMIT_BYTES,
    )
    guard = Depends(service_guard(None if settings is None else settings.service_token))
    router = APIRouter(prefix="/api/v1", tags=["ml"], dependencies=[guard])
    for part in (prediction.router, models.router, training.router):
        router.include_router(part)
    app.include_router(router)
    serve_description(app, bodies=[RulBatchRequest], examples=EXAMPLES)
    app.state.registry, app.state.champion, app.state.jobs = registry, champion, jobs
    return app


def _install_shipped_model(registry: Registry) -> None:
    """Give an empty registry the model of the package; a failure leaves the service without a champion, and says so."""
    try:
        version = install_shipped_model(registry, shipped_model())
    except (RegistryError, OSError) as failure:
        _log.warning("shipped model not installed", fault=str(failure))
    else:
        if version is not None:
            _log.info("shipped model is champion", version=version)


async def _clean(jobs: TrainingJobs) -> None:
    """Delete what jobs of an earlier process left, whose last one may still be ending."""
    if await jobs.remove_leftovers():
        await asyncio.sleep(2.0 * GRACE_S)
        await jobs.remove_leftovers()


def main() -> None:
    """Entry point."""
    settings = load_settings(MlSettings)
    configure_logging("ml", level=settings.log_level)
    if settings.model_registry is None:
        require_writable(settings.data_dir / "models", "DATA_DIR")
    if settings.install_shipped_model:
        _install_shipped_model(Registry(settings.registry_address))
    serve(create_app(settings), settings, shutdown_timeout_s=15)
