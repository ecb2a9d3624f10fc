"""Serve the built dashboard from the gateway: hashed assets are cached for ever, the page itself never."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_API_PREFIXES = ("api/", "health", "metrics", "socket.io")


class DashboardFiles(StaticFiles):
    """Static files where an unknown path is a page of the single-page app, not a 404."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, or the app's page for its own routes."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # A missing API path or asset stays a 404: a page in its place would hide the mistake.
            if error.status_code != 404 or path.startswith(_API_PREFIXES) or "." in Path(path).name:
                raise
            response = FileResponse(Path(str(self.directory)) / "index.html")
        immutable = path.startswith("assets/") and response.status_code in {200, 304}
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "no-cache"
        return response


def mount_dashboard(app: FastAPI, directory: Path) -> None:
    """Serve the dashboard built in ``directory`` at the root."""
    if not (directory / "index.html").is_file():
        raise FileNotFoundError(f"FRONTEND_DIST {directory} has no index.html; build the dashboard first")
    app.mount("/", DashboardFiles(directory=directory, html=True), name="dashboard")
