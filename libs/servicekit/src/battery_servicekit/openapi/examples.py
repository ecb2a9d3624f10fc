"""Examples of an operation: typed values, checked like any other code, rendered as they travel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Example:
    """A request and a response of one operation.

    Parameters
    ----------
    response
        None for an operation that returns no content.
    request
        None for an operation without a body. Text stands for a body, or an answer, of the media type ``text/csv``.
    """

    response: BaseModel | str | None = None
    request: BaseModel | str | None = None


Examples = Mapping[str, Example]
"""Examples by operation id."""


def show(operation: dict[str, Any], example: Example) -> None:
    """Add an example to the description of an operation."""
    if example.request is not None:
        _put(operation["requestBody"]["content"], example.request, is_request=True)
    if example.response is not None:
        _put(operation["responses"][success_of(operation)]["content"], example.response, is_request=False)


def success_of(operation: dict[str, Any]) -> str:
    """Return the status of an operation's success."""
    statuses: list[str] = sorted(operation["responses"])
    return next(status for status in statuses if status.startswith("2"))


def _put(content: dict[str, Any], value: BaseModel | str, *, is_request: bool) -> None:
    if isinstance(value, str):
        content["text/csv"]["example"] = value
    else:
        # A request shows what a caller has to write, a response everything that arrives.
        content[JSON]["example"] = value.model_dump(mode="json", exclude_unset=is_request)
