"""Calls of the prediction service for people: its errors become those of the gateway."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from battery_api.predictions.errors import MlUnavailable, ModelConflict, ModelRefused, RegistryEntryNotFound
from battery_contracts.clients.errors import ServiceError, ServiceRefused
from battery_contracts.clients.ml import MlClient

Answer = TypeVar("Answer")
_NOT_FOUND: Final = 404
_CONFLICT: Final = frozenset({409, 429})


async def ask_registry(client: MlClient | None, call: Callable[[MlClient], Awaitable[Answer]]) -> Answer:
    """Return what the prediction service answers.

    Raises
    ------
    MlUnavailable
        It does not answer, answers what breaks the contract, or is not configured.
    RegistryEntryNotFound, ModelRefused, ModelConflict
        It refuses.
    """
    if client is None:
        raise MlUnavailable("No prediction service is configured (ML_URL).")
    try:
        return await call(client)
    except ServiceRefused as error:
        if error.status == _NOT_FOUND:
            raise RegistryEntryNotFound(error.reason) from error
        if error.status in _CONFLICT:
            raise ModelConflict(error.reason) from error
        raise ModelRefused(error.reason) from error
    except ServiceError as error:
        wait_s = round(error.retry_after_s or 5.0)
        detail = "The prediction service does not answer; try again later."
        raise MlUnavailable(detail, headers={"Retry-After": str(wait_s)}) from error
