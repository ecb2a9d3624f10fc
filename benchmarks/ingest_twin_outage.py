"""Ingest of whole sweeps while the real twin is healthy, frozen, recovered and killed: G2b, A1.

Run: python benchmarks/ingest_twin_outage.py.
"""

import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import structlog
from rich.console import Console
from rich.table import Table
from telemetry_ground import EVERYONE, Ground, Report, Sweeps, prepared_ground

from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import CatalogueCache
from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.ingest.pipeline import IngestPipeline
from battery_api.telemetry.ports import NoJudge, NoPublisher
from battery_contracts.clients.twin import Estimator, TwinClient
from battery_servicekit.testing.process import running_service

SWEEPS = 40
TOKEN = "benchmark"
# The breaker's first pause, and a little.
PAUSE_S = 5.5
ESTIMATED = "select count(soc_pct) from telemetry where time = (select max(time) from telemetry)"


class MeasuredIngest:
    """The gateway's ingest, calling one twin or none."""

    def __init__(self, ground: Ground, sweeps: Sweeps) -> None:
        self._ground, self._sweeps, self._catalogue = ground, sweeps, CatalogueCache()
        self.spent_ms: dict[str, list[float]] = {}
        self.estimated: dict[str, int] = {}

    async def send_sweeps(self, name: str, twin: Estimator | None) -> None:
        """Ingest sweeps one after another and record the time of each."""
        context = replace(self._ground.context, twin=twin)
        ingest = IngestPipeline(context, self._catalogue, NoJudge(), NoPublisher())
        spent = self.spent_ms.setdefault(name, [])
        for body in [self._sweeps.body() for _ in range(SWEEPS)]:
            began = time.perf_counter()
            outcome = await ingest.ingest(parse_batch(body), EVERYONE)
            spent.append((time.perf_counter() - began) * 1e3)
            if outcome.result.accepted != len(self._ground.batteries):
                raise RuntimeError(f"{name}: {outcome.result.accepted} readings accepted")
        async with self._ground.database.begin() as connection:
            ((self.estimated[name],),) = await fetch_all(connection, ESTIMATED)


async def measure() -> None:
    """Print the durations of each condition and their ratio to a healthy twin."""
    command = [str(Path(sys.executable).with_name("battery-twin-service"))]
    async with prepared_ground() as ground:
        gateway = MeasuredIngest(ground, Sweeps(ground))
        with (
            tempfile.TemporaryDirectory() as folder,
            running_service(command, {"SERVICE_TOKEN": TOKEN}, log=Path(folder) / "twin.log") as service,
        ):
            service.wait_until_alive()
            settings = ground.context.settings
            async with httpx.AsyncClient() as http:
                twin = TwinClient(http, service.url, token=TOKEN, timeout_s=settings.twin_timeout_s)
                await gateway.send_sweeps("warming up", twin)
                await gateway.send_sweeps("no twin", None)
                await gateway.send_sweeps("healthy", twin)
                os.kill(service.process.pid, signal.SIGSTOP)
                try:
                    await gateway.send_sweeps("frozen", twin)
                finally:
                    os.kill(service.process.pid, signal.SIGCONT)
                await asyncio.sleep(PAUSE_S)
                await gateway.send_sweeps("recovered", twin)
                service.kill()
                await gateway.send_sweeps("killed", twin)
    show(gateway)


def show(gateway: MeasuredIngest) -> None:
    """Print percentiles, how many of the last sweep have estimates, and the goals."""
    table = Table("twin", "p50 ms", "p95 ms", "longest ms", "last sweep estimated", title="ingest of 1,944 readings")
    middle: dict[str, float] = {}
    for name, spent in gateway.spent_ms.items():
        p50, p95, longest = _percentiles(spent)
        middle[name] = p50
        table.add_row(name, f"{p50:.0f}", f"{p95:.0f}", f"{longest:.0f}", str(gateway.estimated[name]))
    Console(width=150).print(table)
    report = Report("ingest with and without its twin (1,944 readings)")
    report.add("G2b", "body to commit with the twin's call, ms", middle["healthy"], at_most=100)
    for name in ("frozen", "killed"):
        report.add("G2b", f"twin {name}, ms over a healthy twin", middle[name] / middle["healthy"], at_most=1.2)
    report.add("A1", "share estimated after recovery", gateway.estimated["recovered"] / 1944, at_least=1)
    report.show()


def _percentiles(spent_ms: Sequence[float]) -> tuple[float, float, float]:
    p50, p95 = np.percentile(spent_ms, [50, 95]).tolist()
    return p50, p95, max(spent_ms)


if __name__ == "__main__":
    # The table says how many had no estimate.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(measure())
