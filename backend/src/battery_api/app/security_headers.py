"""Response headers that restrict what a browser may do."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Charts and toasts set inline styles; scripts come from this origin only.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self' ws: wss:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'"
    ),
}
# The API documentation page loads its viewer from another origin and starts it inline.
_RELAXED_PATHS = ("/api/docs",)


class SecurityHeadersMiddleware:
    """Add the headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        relaxed = scope["path"].startswith(_RELAXED_PATHS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    if not (relaxed and name == "Content-Security-Policy"):
                        headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
