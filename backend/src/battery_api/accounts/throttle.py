"""Login throttle: five failures per minute from one address, and a limit on the failures for one name from anywhere.

Attempts are rows in the database, so replicas share them. A stranger must not be able to lock out the owner of a name:
the limit for a name does not apply to addresses from which that name has logged in recently; for those only their own
limit of five applies.
"""

import ipaddress
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.errors import TooManyAttempts
from battery_api.context import ProcessContext
from battery_api.settings import GatewaySettings

WINDOW: Final = timedelta(minutes=1)
FAILURES_PER_NAME: Final = 30
"""Failures for one name within the window, from any address, after which unfamiliar addresses must wait."""
FAMILIAR_FOR: Final = timedelta(days=30)
"""How long an address stays familiar to a name after a login."""
_FAILURES_KEPT_FOR: Final = timedelta(days=1)
_IPV6_CUSTOMER_BITS: Final = 64  # one customer has a whole /64 and could use a new address for each attempt


async def admit_attempt(
    connection: AsyncConnection, settings: GatewaySettings, *, address: str, username: str, now: datetime
) -> int:
    """Record an attempt to prove a password and return its key, or raise `TooManyAttempts` with Retry-After.

    It counts as failed until `repository.mark_succeeded`: a crash or a disconnect in between must not make it free.
    """
    source, name = throttled_source(address), username.casefold()
    await repository.lock_logins(connection, source)
    since = now - WINDOW
    _refuse_above(settings.login_attempts_per_minute, await repository.failures_from(connection, source, since), now)
    on_name = await repository.failures_on(connection, name, since)
    if len(on_name) >= FAILURES_PER_NAME and not await repository.has_logged_in_from(
        connection, source, name, now - FAMILIAR_FOR
    ):
        _refuse_above(FAILURES_PER_NAME, on_name, now)
    return await repository.add_attempt(connection, at=now, address=source, name=name)


def throttled_source(address: str) -> str:
    """Return the source by which attempts are counted: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _IPV6_CUSTOMER_BITS), strict=False))


def client_address(request: Request, settings: GatewaySettings) -> str:
    """Return the caller's address; of forwarded addresses only those that our own proxies wrote count."""
    peer = request.client.host if request.client else "unknown"
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    count = settings.trusted_proxy_count
    if not count or len(hops) < count:
        return peer
    return hops[-count][:64]


async def prune_once(context: ProcessContext) -> None:
    """Delete attempts and sessions that no rule needs any more."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        await repository.prune(
            connection,
            failures_before=now - _FAILURES_KEPT_FOR,
            successes_before=now - FAMILIAR_FOR,
            tokens_before=now - _FAILURES_KEPT_FOR,
        )


def _refuse_above(allowed: int, failures: Sequence[datetime], now: datetime) -> None:
    if len(failures) < allowed:
        return
    # The oldest of the last `allowed` failures must leave the window first.
    seconds = max(1, math.ceil((failures[-allowed] + WINDOW - now).total_seconds()))
    raise TooManyAttempts(f"Too many failed logins; try again in {seconds} s.", headers={"Retry-After": str(seconds)})
