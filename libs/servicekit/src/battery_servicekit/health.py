"""Liveness, which is cheap and unconditional, and readiness, which probes what the service depends on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from battery_servicekit.responses import JsonResponse


class CheckState(StrEnum):
    """Outcome of one readiness check."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check; ``reason`` is a stable code without internal addresses."""

    state: CheckState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A dependency to probe: without a required one the service is not ready, without an optional one degraded."""

    name: str
    probe: Callable[[], Awaitable[Finding]]
    required: bool


class CheckReport(BaseModel):
    """One line of the readiness answer."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    state: CheckState
    """Whether what was probed works."""
    required: bool
    """Without it the service is unavailable; without another one it is degraded."""
    reason: str | None = None
    """Stable code of what is wrong, or a remark on what works; null where there is nothing to add."""


class Readiness(BaseModel):
    """Answer of ``/health/ready``."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["ready", "degraded", "unavailable"]
    """`ready` if every check is up, `degraded` if only optional ones are down, else `unavailable`."""
    checks: dict[str, CheckReport]
    """What was probed, by name."""


class Liveness(BaseModel):
    """Answer of ``/health``."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["alive"] = "alive"
    """Always `alive`: a process that is not cannot answer."""
    service: str
    """Name of the service."""
    version: str
    """Version of the service's package."""


async def assess(checks: Sequence[Check]) -> Readiness:
    """Run the checks one after another and summarise them."""
    reports: dict[str, CheckReport] = {}
    for check in checks:
        finding = await check.probe()
        reports[check.name] = CheckReport(state=finding.state, required=check.required, reason=finding.reason)
    down = [report for report in reports.values() if report.state is CheckState.DOWN]
    if any(report.required for report in down):
        return Readiness(status="unavailable", checks=reports)
    return Readiness(status="degraded" if down else "ready", checks=reports)


def health_router(service: str, version: str, checks: Sequence[Check]) -> APIRouter:
    """Build the routes ``/health`` and ``/health/ready`` of a service."""
    router = APIRouter(tags=["health"])

    @router.get("/health", response_model=Liveness, responses={200: _shown(Liveness(service=service, version=version))})
    async def get_health() -> Response:
        """Report that the process is alive."""
        return JsonResponse(Liveness(service=service, version=version))

    router.add_api_route("/health", get_health, methods=["HEAD"], include_in_schema=False)

    @router.get(
        "/health/ready",
        response_model=Readiness,
        responses={
            200: _shown(_readiness("ready", checks)),
            503: {
                "model": Readiness,
                "description": "A required check is down.",
                **_shown(_readiness("unavailable", checks)),
            },
        },
    )
    async def get_readiness() -> Response:
        """Report whether the service can do its work, and what is missing."""
        readiness = await assess(checks)
        return JsonResponse(readiness, status=503 if readiness.status == "unavailable" else 200)

    return router


def _shown(answer: BaseModel) -> dict[str, Any]:
    return {"content": {"application/json": {"example": answer.model_dump(mode="json")}}}


def _readiness(status: Literal["ready", "unavailable"], checks: Sequence[Check]) -> Readiness:
    """Return an example; if unavailable, with every required check down."""
    reports = {check.name: CheckReport(state=CheckState.UP, required=check.required) for check in checks}
    if status == "unavailable":
        for report in reports.values():
            if report.required:
                report.state, report.reason = CheckState.DOWN, "not_answering"
    return Readiness(status=status, checks=reports)
