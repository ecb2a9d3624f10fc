"""How many requests a caller may make: a user, a key, or an address that shows no valid credentials.

The counts are shared by all gateways where ``REDIS_URL`` is set. While Redis does not answer, each gateway counts for
itself: a limit that is too generous for a minute is better than a fleet that nobody can see.
"""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from battery_api.accounts.addresses import throttled_source
from battery_api.accounts.errors import TooManyRequests
from battery_api.accounts.principal import Principal
from battery_api.settings import GatewaySettings

WINDOW_S: Final = 10
"""Length of the sliding window; who is refused waits no longer than this."""
_REDIS_TIMEOUT_S: Final = 0.25
_REDIS_REST_S: Final = 10.0
"""How long Redis is left alone after it did not answer."""
_log = structlog.get_logger(__name__)
Caller = Literal["user", "key", "address"]


class RequestLimits:
    """Counts requests; one per gateway."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._items: dict[Caller, RateLimitItem] = {
            "user": _per_window(settings.requests_per_minute_of_user),
            "key": _per_window(settings.requests_per_minute_of_key),
            "address": _per_window(settings.requests_per_minute_of_address),
        }
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = None if settings.redis_url is None else _shared(settings.redis_url.get_secret_value())
        self._rests_until_s = 0.0

    async def count(self, principal: Principal) -> None:
        """Count a request of a user or a key; raise `TooManyRequests` once it is one too many."""
        if principal.user_id is not None:
            await self._count("user", str(principal.user_id))
        else:
            await self._count("key", principal.name)

    async def count_stranger(self, address: str) -> None:
        """Count a request without valid credentials; raise `TooManyRequests` once it is one too many."""
        await self._count("address", throttled_source(address))

    async def _count(self, caller: Caller, name: str) -> None:
        item = self._items[caller]

        async def count(limiter: SlidingWindowCounterRateLimiter) -> float | None:
            """Return when the window ends if the request is one too many."""
            if await limiter.hit(item, caller, name):
                return None
            return (await limiter.get_window_stats(item, caller, name)).reset_time

        ends_at_s = await self._with_limiter(count)
        if ends_at_s is None:
            return
        wait_s = min(WINDOW_S, max(1, math.ceil(ends_at_s - time.time())))
        whose = {"user": "of your user", "key": "of this API key", "address": "without valid credentials"}[caller]
        raise TooManyRequests(
            f"More than {item.amount} requests {whose} in {WINDOW_S} s; try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )

    async def _with_limiter(
        self, count: Callable[[SlidingWindowCounterRateLimiter], Awaitable[float | None]]
    ) -> float | None:
        if self._shared is not None and time.monotonic() >= self._rests_until_s:
            try:
                return await count(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._rests_until_s = time.monotonic() + _REDIS_REST_S
                _log.warning("requests are counted by this gateway alone: Redis does not answer", error=str(error))
        return await count(self._own)


def _per_window(per_minute: int) -> RateLimitItem:
    return RateLimitItemPerSecond(max(1, per_minute * WINDOW_S // 60), WINDOW_S)


def _shared(url: str) -> SlidingWindowCounterRateLimiter:
    storage: Storage = RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="battery:requests",
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
    )
    return SlidingWindowCounterRateLimiter(storage)
