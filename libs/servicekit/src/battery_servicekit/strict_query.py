"""Refuse parameters that cannot be meant: a misspelt filter must not look like one that found all.

Unknown names, a single one given twice, and control characters, which no id and no search text contains and of which
PostgreSQL takes no NUL.
"""

import difflib
import unicodedata
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from battery_servicekit.problems import FieldError, ValidationFailed


class StrictRoute(APIRoute):
    """A route that answers 422 to parameters that cannot be meant.

    Use it as ``APIRouter(route_class=StrictRoute)``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of requests, with the names checked first."""
        handle = super().get_route_handler()
        takes_several = dict(_parameters(self.dependant))

        async def handle_strictly(request: Request) -> Response:
            if request.scope["query_string"]:
                _require_known(request, takes_several)
            if request.path_params or request.scope["query_string"]:
                _require_visible(request)
            return await handle(request)

        return handle_strictly


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the names of query parameters, and whether one may be given several times."""
    for field in dependant.query_params:
        yield field.alias, _is_sequence(field.field_info.annotation)
    for dependency in dependant.dependencies:
        yield from _parameters(dependency)


def _is_sequence(annotation: Any) -> bool:
    """Return whether a type, or an alternative of it, holds several values."""
    return get_origin(annotation) in {list, set, frozenset, tuple} or any(map(_is_sequence, get_args(annotation)))


def _require_known(request: Request, takes_several: Mapping[str, bool]) -> None:
    errors = []
    for name in dict.fromkeys(request.query_params):
        if name not in takes_several:
            errors.append(FieldError(field=name, code="unknown_parameter", detail=_unknown(name, takes_several)))
        elif not takes_several[name] and len(request.query_params.getlist(name)) > 1:
            errors.append(FieldError(field=name, code="repeated_parameter", detail="is given more than once; keep one"))
    if errors:
        named = "; ".join(f"{error.field}: {error.detail}" for error in errors[:3])
        raise ValidationFailed(named, errors=errors[:100])


def _require_visible(request: Request) -> None:
    given = [*request.path_params.items(), *request.query_params.multi_items()]
    errors = [
        FieldError(
            field=name, code="invisible_character", detail=f"holds U+{ord(found):04X}, which nobody types; remove it"
        )
        for name, value in given
        if (found := next((character for character in str(value) if unicodedata.category(character) == "Cc"), None))
    ]
    if errors:
        raise ValidationFailed("; ".join(f"{error.field}: {error.detail}" for error in errors[:3]), errors=errors[:100])


def _unknown(name: str, known: Mapping[str, bool]) -> str:
    if not known:
        return "is not a parameter: this operation takes none"
    # A prefix is what people remember: sort_by for sort.
    near = difflib.get_close_matches(name, known, n=1) or [other for other in known if name.startswith(other)]
    if near:
        return f"is not a parameter of this operation; did you mean {near[0]}?"
    return f"is not a parameter of this operation, which takes {', '.join(sorted(known))}"
