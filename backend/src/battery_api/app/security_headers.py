"""Response headers that restrict what a browser may do."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Charts and toasts set inline styles; scripts come from this origin only.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self' ws: wss:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; "
        "form-action 'self'; object-src 'none'"
    ),
}
# The page of the API's description starts its viewer, which is served from here too, by a script in the page.
_DESCRIPTION = {
    **_ALWAYS,
    "Content-Security-Policy": _ALWAYS["Content-Security-Policy"].replace(
        "script-src 'self'", "script-src 'self' 'unsafe-inline'"
    ),
}
# Tokens must not stay in a cache, nor be shown by the back button.
_TOKENS = {**_ALWAYS, "Cache-Control": "no-store"}
_BY_PATH: Final = {"/api/docs": _DESCRIPTION, "/api/v1/auth": _TOKENS}


class SecurityHeadersMiddleware:
    """Add the headers to every response that does not set them itself.

    Parameters
    ----------
    hsts_max_age_s
        How long a browser is to use HTTPS only; 0 sends no such header, as on a laptop without a certificate.
    """

    def __init__(self, app: ASGIApp, hsts_max_age_s: int = 0) -> None:
        self._app = app
        self._hsts = {"Strict-Transport-Security": f"max-age={hsts_max_age_s}"} if hsts_max_age_s else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        of_path = next((headers for path, headers in _BY_PATH.items() if scope["path"].startswith(path)), _ALWAYS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (of_path | self._hsts).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
