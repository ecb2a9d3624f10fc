"""Compares the statuses that the suites see with those that the OpenAPI description declares."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from starlette.routing import compile_path

from battery_api.app.main import create_app
from battery_api.app.openapi import describe

UNSEEN_BY_CALLERS: Final = 499
"""The caller has left."""


@cache
def _declared() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Return the declared statuses by path and method."""
    return {
        path: {method.upper(): frozenset(operation["responses"]) for method, operation in item.items()}
        for path, item in describe(create_app())["paths"].items()
    }


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(compile_path(path)[0], path) for path in _declared()]


def undeclared(scope: Mapping[str, Any], status: int) -> str | None:
    """Return an answer that its operation does not declare, as text; None if it does, or if no operation gave it."""
    path = scope["path"]
    if path not in _declared():
        path = next((template for pattern, template in _patterns() if pattern.match(path)), path)
    statuses = _declared().get(path, {}).get(scope["method"])
    if statuses is None or status == UNSEEN_BY_CALLERS or str(status) in statuses:
        return None
    return f"{scope['method']} {path} answered {status}, and declares {', '.join(sorted(statuses))}"
