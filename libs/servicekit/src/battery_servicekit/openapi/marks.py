"""What a dependency says of every operation that uses it: the errors it raises and who it lets in.

The description of an operation is read from these marks, so that it cannot disagree with the code that decides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant

from battery_servicekit.problems import DomainError

Call = TypeVar("Call", bound=Callable[..., Any])
_ERRORS: Final = "__errors__"
_ACCESS: Final = "__access__"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call an operation.

    Parameters
    ----------
    schemes
        OpenAPI security schemes by name; the credentials of one of them are enough.
    sentence
        What is needed, for the description.
    is_optional
        The operation also answers callers without any of them.
    """

    schemes: Mapping[str, Mapping[str, str]]
    sentence: str
    is_optional: bool = False


def can_raise(*errors: type[DomainError]) -> Callable[[Call], Call]:
    """Mark a dependency or an endpoint with the errors that it raises."""

    def mark(call: Call) -> Call:
        setattr(call, _ERRORS, errors)
        return call

    return mark


def admits(access: Access) -> Callable[[Call], Call]:
    """Mark a dependency with whom it lets in."""

    def mark(call: Call) -> Call:
        setattr(call, _ACCESS, access)
        return call

    return mark


def errors_of(dependant: Dependant) -> list[type[DomainError]]:
    """Return the errors that a route's dependencies raise, in the order in which they are called."""
    return [error for call in _calls(dependant) for error in getattr(call, _ERRORS, ())]


def accesses_of(dependant: Dependant) -> list[Access]:
    """Return whom a route's dependencies let in."""
    found = [getattr(call, _ACCESS, None) for call in _calls(dependant)]
    return [access for access in found if access is not None]


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for dependency in dependant.dependencies:
        yield from _calls(dependency)
    if dependant.call is not None:
        yield dependant.call
