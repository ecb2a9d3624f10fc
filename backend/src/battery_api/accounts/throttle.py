"""Login throttle: five failures a minute from one address, and a slower rhythm for one name from everywhere.

Failures are rows in the database, so replicas share them. A name is never locked: a stranger must not be able to lock
its owner out, so tries on one name are only spaced out.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.errors import TooManyAttempts
from battery_api.settings import GatewaySettings

WINDOW: Final = timedelta(minutes=1)
FAILURES_PER_NAME: Final = 30
"""Failures on one name within the window, from any address, before tries on it must wait."""


async def admit_login(
    connection: AsyncConnection, settings: GatewaySettings, *, address: str, username: str, now: datetime
) -> None:
    """Raise `TooManyAttempts` with Retry-After when this address, or this name, must wait."""
    await repository.lock_logins(connection, address)
    from_address, on_name = await repository.failed_attempts(
        connection, address=address, username=username, since=now - WINDOW
    )
    for failures, allowed in ((from_address, settings.login_attempts_per_minute), (on_name, FAILURES_PER_NAME)):
        if len(failures) >= allowed:
            # The oldest of the last `allowed` failures must leave the window first.
            wait_s = (failures[-allowed] + WINDOW - now).total_seconds()
            seconds = max(1, math.ceil(wait_s))
            raise TooManyAttempts(
                f"Too many failed logins; try again in {seconds} s.", headers={"Retry-After": str(seconds)}
            )


def client_address(request: Request, settings: GatewaySettings) -> str:
    """Return the caller's address; forwarded ones count only as far as our own proxies wrote them."""
    peer = request.client.host if request.client else "unknown"
    hops = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    count = settings.trusted_proxy_count
    if not count or len(hops) < count:
        return peer
    return hops[-count]
