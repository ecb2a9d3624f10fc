"""What every service client shares: authentication, time-outs, the circuit breaker and the parsing of errors."""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from battery_contracts.clients.breaker import CircuitBreaker
from battery_contracts.clients.errors import InvalidServiceResponse, ServiceRefused, ServiceUnavailable

Answer = TypeVar("Answer", bound=BaseModel)


class ServiceClient:
    """Call one service; failures come back as `ServiceError`, never as transport exceptions."""

    service = "service"

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        *,
        token: str,
        timeout_s: float = 5.0,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout_s = timeout_s
        self.breaker = breaker or CircuitBreaker()

    @property
    def is_reachable(self) -> bool:
        """Whether a call makes sense now; false while the circuit breaker is open."""
        return not self.breaker.is_open

    def report_timeout(self) -> None:
        """Count a call that the caller gave up as a failure."""
        self.breaker.failed()

    async def is_ready(self, *, timeout_s: float = 2.0) -> bool:
        """Check readiness without the circuit breaker; any failure means no."""
        try:
            response = await self._http.get(f"{self._base_url}/health/ready", timeout=timeout_s)
        except httpx.HTTPError:
            return False
        return response.status_code == httpx.codes.OK

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        content: bytes | None = None,
        timeout_s: float | None = None,
        fault: Callable[[Answer], str | None] = lambda _: None,
    ) -> Answer:
        """Call and parse the response; ``fault`` describes content that is invalid in spite of its valid shape."""
        response = await self._request(method, path, content=content, timeout_s=timeout_s)
        try:
            read = answer.model_validate_json(response.content)
        except ValidationError as error:
            self.breaker.failed()
            raise InvalidServiceResponse(
                self.service, f"{error.error_count()} errors in the answer to {path}"
            ) from error
        why = fault(read)
        if why is not None:
            self.breaker.failed()
            raise InvalidServiceResponse(self.service, why)
        # Only after the content is checked: a service that returns invalid content must open the circuit too.
        self.breaker.succeeded()
        return read

    async def _request(
        self, method: str, path: str, *, content: bytes | None, timeout_s: float | None = None
    ) -> httpx.Response:
        if not self.breaker.admit():
            raise ServiceUnavailable(self.service, f"{self._base_url} is left alone after repeated failures")
        headers = self._headers | ({"Content-Type": "application/json"} if content is not None else {})
        try:
            response = await self._http.request(
                method, self._base_url + path, content=content, headers=headers, timeout=timeout_s or self._timeout_s
            )
        except httpx.HTTPError as error:
            self.breaker.failed()
            raise ServiceUnavailable(self.service, f"{type(error).__name__} at {self._base_url}") from error
        except BaseException:
            self.breaker.abandoned()
            raise
        if response.is_server_error:
            self.breaker.failed()
            raise ServiceUnavailable(
                self.service,
                f"answered {response.status_code}",
                retry_after_s=_retry_after_s(response),
                code=_problem(response)[0],
            )
        if response.is_client_error:
            self.breaker.succeeded()
            code, detail = _problem(response)
            raise ServiceRefused(
                self.service, response.status_code, code, detail, retry_after_s=_retry_after_s(response)
            )
        return response


def _retry_after_s(response: httpx.Response) -> float | None:
    """Return the header in seconds; our services never send its other form, a date."""
    given = response.headers.get("retry-after", "").strip()
    return float(given) if given.isdecimal() else None


def _problem(response: httpx.Response) -> tuple[str | None, str]:
    try:
        body: Any = response.json()
    except ValueError:
        return None, response.reason_phrase
    if not isinstance(body, dict):
        return None, response.reason_phrase
    return body.get("code"), str(body.get("detail") or body.get("title") or response.reason_phrase)
