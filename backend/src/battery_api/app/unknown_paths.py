"""Paths of the API that nothing serves, and methods that a path does not take.

The dashboard is mounted at the root and takes every path that no route matches; without this a wrong method would be
answered as if the path did not exist.
"""

import re
from functools import cache
from typing import Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def refuse_unknown_paths(app: FastAPI) -> None:
    """Answer 405 with the methods that a path of the API takes, or 404; added after all routes of the API."""

    @cache
    def described() -> list[tuple[re.Pattern[str], frozenset[str]]]:
        paths = app.openapi()["paths"].items()
        return [(compile_path(path)[0], frozenset(name.upper() for name in item)) for path, item in paths]

    @app.api_route("/api/{path:path}", methods=_METHODS, include_in_schema=False)
    async def refuse(request: Request) -> None:
        """Refuse the request."""
        allowed = {method for pattern, methods in described() if pattern.match(request.url.path) for method in methods}
        if not allowed:
            raise HTTPException(404)
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
