"""Jobs of the service that name no dataset."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from battery_contracts.clients.errors import ServiceRefused
from battery_contracts.clients.ml import MlClient
from battery_contracts.ml import TrainJob, TrainRequest, TrainState
from battery_servicekit.testing.process import ServiceProcess, running_service
from tests.support.fake_synth import HANGS, WORKS
from tests.support.world_jobs import TRAIN, alive, left_in, parent_of, pid_of, synth, wait_for

SERVICE = [str(Path(sys.executable).with_name("battery-ml-service"))]


def environment(folder: Path, mode: str, **more: str) -> dict[str, str]:
    given = {
        "SERVICE_TOKEN": "token",
        "DATA_DIR": str(folder),
        "SYNTH_COMMAND": json.dumps(synth(mode)),
        "INSTALL_SHIPPED_MODEL": "false",
    }
    return given | more


def client_of(service: ServiceProcess) -> MlClient:
    return MlClient(httpx.AsyncClient(), service.url, token="token", timeout_s=60.0)


async def ended(client: MlClient, job: TrainJob) -> list[TrainJob]:
    """Return every state that the job was seen in, up to its end."""
    seen = [job]
    while seen[-1].state is TrainState.RUNNING:
        await asyncio.sleep(0.05)
        seen.append(await client.get_train_job(job.job_id))
    return seen


async def test_the_service_makes_its_own_lives(tmp_path: Path) -> None:
    command = json.dumps([*TRAIN, "--trees", "30", "--registry", str(tmp_path / "models")])
    variables = environment(tmp_path, WORKS, TRAIN_COMMAND=command)
    with running_service(SERVICE, variables, log=tmp_path / "service.log") as service:
        service.wait_until_alive()
        client = client_of(service)
        job = await client.train(TrainRequest(seed=3))
        seen = await ended(client, job)
        current, shares = seen[-1], [one.progress for one in seen]
        assert (current.state, current.error) == (TrainState.SUCCEEDED, None)
        assert shares == sorted(shares)
        assert [model.version for model in (await client.list_models()).models] == [current.version]
    assert left_in(tmp_path) == []
    assert len((tmp_path / "worlds" / "made").read_text().splitlines()) == 3


async def test_a_service_without_the_program_refuses_with_a_code(tmp_path: Path) -> None:
    variables = environment(tmp_path, WORKS, SYNTH_COMMAND='["no-such-program"]')
    with running_service(SERVICE, variables, log=tmp_path / "service.log") as service:
        service.wait_until_alive()
        with pytest.raises(ServiceRefused) as refused:
            await client_of(service).train(TrainRequest())
    assert (refused.value.status, refused.value.code) == (422, "synthesis_missing")
    assert "name a dataset" in refused.value.detail


async def test_a_killed_job_and_a_killed_service_leave_nothing(tmp_path: Path) -> None:
    variables = environment(tmp_path, HANGS)
    with running_service(SERVICE, variables, log=tmp_path / "service.log") as service:
        service.wait_until_alive()
        client = client_of(service)
        job = await client.train(TrainRequest())
        generation = pid_of(tmp_path)
        os.kill(parent_of(generation), signal.SIGKILL)
        wait_for(lambda: not alive(generation))
        assert (await ended(client, job))[-1].state is TrainState.FAILED
        assert left_in(tmp_path) == []
        await client.train(TrainRequest())
        generation = pid_of(tmp_path)
        service.kill()
        wait_for(lambda: not alive(generation))
    with running_service(SERVICE, variables, log=tmp_path / "service.log") as service:
        service.wait_until_alive()
        wait_for(lambda: left_in(tmp_path) == [])
