"""Errors of predictions and of the proxied model registry."""

from battery_servicekit.problems import Conflict, Invalid, NotFound, Unavailable


class RunRunning(Conflict):
    """A run is running already; `errors` names it as `run_id`."""

    code = "prediction_run_running"


class RunNotFound(NotFound):
    """No run has this id."""

    code = "prediction_run_not_found"


class RegistryEntryNotFound(NotFound):
    """The prediction service knows no such version or training job."""

    code = "model_not_found"


class ModelRefused(Invalid):
    """The prediction service refuses the request; the detail says why."""

    code = "model_refused"


class ModelConflict(Conflict):
    """The version is incomplete, or a training job is under way; the detail says which."""

    code = "model_conflict"


class MlUnavailable(Unavailable):
    """The prediction service does not answer; try later."""

    code = "ml_unavailable"
    sends = ("Retry-After",)
