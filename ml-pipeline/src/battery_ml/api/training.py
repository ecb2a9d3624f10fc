"""Training over HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Request

from battery_contracts.ml import TrainJob, TrainRequest
from battery_ml.jobs.training import JobRunning, TrainingJobs
from battery_servicekit.problems import Conflict, NotFound, problems
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(route_class=StrictRoute)


class TrainingUnderWay(Conflict):
    """One job runs at a time."""

    code = "training_under_way"


class JobNotFound(NotFound):
    """No job with this id was started since the service started."""

    code = "job_not_found"


def get_jobs(request: Request) -> TrainingJobs:
    """Return the training jobs."""
    return cast("TrainingJobs", request.app.state.jobs)


JobsDep = Annotated[TrainingJobs, Depends(get_jobs)]
JobPath = Annotated[str, Path(description="Id of the job.", examples=["0b9d5c7e41d84f0e9a6f2c3d8e7b1a54"])]


@router.post("/train", status_code=202, responses=problems(TrainingUnderWay))
async def start_training(request: TrainRequest, jobs: JobsDep) -> TrainJob:
    """Start a training job; its version stays a candidate in the registry until it is promoted."""
    try:
        return jobs.start(request)
    except JobRunning as running:
        raise TrainingUnderWay(f"Job {running} is running; only one runs at a time.") from running


@router.get("/train/{job}", responses=problems(JobNotFound))
async def get_training(job: JobPath, jobs: JobsDep) -> TrainJob:
    """Return the state and progress of a job."""
    training_job = jobs.find(job)
    if training_job is None:
        raise JobNotFound(f"No job {job[:80]!r} was started since the service started.")
    return training_job
