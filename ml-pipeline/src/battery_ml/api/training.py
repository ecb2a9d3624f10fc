"""Training over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request

from battery_contracts.ml import TrainJob, TrainRequest
from battery_ml.jobs.errors import RoomMissing, WorldsRefused
from battery_ml.jobs.training import JobRunning, TrainingJobs
from battery_servicekit.problems import Conflict, Invalid, NotFound, problems
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(route_class=StrictRoute)


class TrainingUnderWay(Conflict):
    """One job runs at a time."""

    code = "training_under_way"


class WorldsRoomMissing(Conflict):
    """No dataset is named, and the disk has no room to make one; the detail says how much is missing."""

    code = "disk_room_missing"


class WorldsUnavailable(Invalid):
    """No dataset is named, and the program that makes one is not installed."""

    code = "synthesis_missing"


class JobNotFound(NotFound):
    """No job with this id was started since the service started."""

    code = "job_not_found"


def get_jobs(request: Request) -> TrainingJobs:
    """Return the training jobs."""
    return cast("TrainingJobs", request.app.state.jobs)


JobsDep = Annotated[TrainingJobs, Depends(get_jobs)]
JobPath = Annotated[str, Path(description="Id of the job.", examples=["0b9d5c7e41d84f0e9a6f2c3d8e7b1a54"])]


@router.post("/train", status_code=202, responses=problems(TrainingUnderWay, WorldsRoomMissing, WorldsUnavailable))
async def start_training(request: TrainRequest, jobs: JobsDep) -> TrainJob:
    """Start a training job; its version stays a candidate in the registry until it is promoted.

    Without a dataset it first makes synthetic lives, which it deletes afterwards.
    """
    try:
        return jobs.start(request)
    except JobRunning as running:
        raise TrainingUnderWay(f"Job {running} is running; only one runs at a time.") from running
    except RoomMissing as missing:
        raise WorldsRoomMissing(f"{missing}.") from missing
    except WorldsRefused as missing:
        raise WorldsUnavailable(f"{missing}.") from missing


@router.get("/train/{job}", responses=problems(JobNotFound))
async def get_training(job: JobPath, jobs: JobsDep) -> TrainJob:
    """Return the state and progress of a job."""
    training_job = jobs.find(job)
    if training_job is None:
        raise JobNotFound(f"No job {job[:80]!r} was started since the service started.")
    return training_job
