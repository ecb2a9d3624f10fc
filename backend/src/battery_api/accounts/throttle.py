"""Login throttle: whoever fails waits, longer each time, and nobody is shut out by the failures of others.

Attempts are rows in the database, so replicas share them. Two kinds of caller try a name:

- A *known* one has logged in to this name within 30 days, with the same device cookie, session or address. Only its own
  failures on this name count.
- A *stranger* also waits for what others do: the failures of all strangers on the name, and those from the address on
  any name. It waits since its own last attempt, however often others try meanwhile, so the owner of a name under
  attack is late by five minutes at most.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import attempt_repository as repository
from battery_api.accounts.addresses import throttled_source
from battery_api.accounts.attempt_repository import Attempt
from battery_api.accounts.errors import TooManyAttempts
from battery_api.accounts.repository import prune_tokens
from battery_api.accounts.tokens import secret_hash
from battery_api.context import ProcessContext
from battery_api.settings import GatewaySettings

WINDOW: Final = timedelta(hours=1)
"""How long a failure counts."""
ADDRESS_WINDOW: Final = timedelta(minutes=1)
"""How long a failure counts against strangers from its address; many people may share one."""
FREE_STRANGERS: Final = 30
"""Failures of strangers on a name, or from an address, that delay no other stranger."""
LONGEST_S: Final = 60
LONGEST_ON_NAME_S: Final = 300
FAMILIAR_FOR: Final = timedelta(days=30)
"""How long a device or an address stays known to a name after a login."""
_FAILURES_KEPT_FOR: Final = timedelta(days=1)
_FIRST_DELAY_S: Final = 2


@dataclass(frozen=True, slots=True)
class AttemptOrigin:
    """Where an attempt comes from: an address, and a device if it carries a device cookie or a session."""

    address: str
    device: str | None = None

    @property
    def source(self) -> str:
        """The address as attempts are counted."""
        return throttled_source(self.address)

    @property
    def device_hash(self) -> str | None:
        """What is stored of the device."""
        return None if self.device is None else secret_hash(self.device)


@dataclass(frozen=True, slots=True)
class Admitted:
    """An attempt that may be made; ``known`` callers are verified without waiting for strangers."""

    attempt_id: int
    known: bool


async def admit_attempt(
    connection: AsyncConnection,
    settings: GatewaySettings,
    *,
    origin: AttemptOrigin,
    username: str,
    now: datetime,
    in_session: bool = False,
) -> Admitted | TooManyAttempts:
    """Record an attempt to prove a password, or return the refusal, with Retry-After, for the caller to raise.

    The refusal is returned and not raised because it starts a stranger's wait: the transaction must commit. An attempt
    counts as failed until `mark_succeeded`: a crash or a disconnect in between must not make it free.

    Parameters
    ----------
    in_session
        The device of the origin is an open session of this name, and therefore known.
    """
    attempt = Attempt(now, origin.source, username.casefold(), origin.device_hash)
    await repository.lock_attempts(connection, attempt)
    since = now - FAMILIAR_FOR
    if attempt.device is not None and (in_session or await repository.is_known_device(connection, attempt, since)):
        own = await repository.of_device(connection, attempt, now - WINDOW)
        delay_s, known = _delay_s(own.failures, settings.login_attempts_per_minute, LONGEST_S), True
    else:
        own = await repository.of_address(connection, attempt, now - WINDOW)
        delay_s = _delay_s(own.failures, settings.login_attempts_per_minute, LONGEST_S)
        known = await repository.is_known_address(connection, attempt, since)
        if not known:
            on_name = await repository.strangers_on_name(connection, attempt, now - WINDOW, since)
            from_address = await repository.failures_from(connection, attempt, now - ADDRESS_WINDOW)
            delay_s = max(
                delay_s,
                _delay_s(on_name, FREE_STRANGERS, LONGEST_ON_NAME_S),
                _delay_s(from_address, FREE_STRANGERS, LONGEST_S),
            )
    waits_since = own.last_tried_at or own.first_refused_at or now
    seconds = math.ceil((waits_since + timedelta(seconds=delay_s) - now).total_seconds())
    if seconds <= 0:
        return Admitted(await repository.add_attempt(connection, attempt), known)
    if own.last_tried_at is None and own.first_refused_at is None:
        await repository.add_refused(connection, attempt)
    return TooManyAttempts(f"Too many failed logins; try again in {seconds} s.", headers={"Retry-After": str(seconds)})


async def prune_once(context: ProcessContext) -> None:
    """Delete attempts and sessions that no rule needs any more."""
    now = context.clock.now()
    async with context.database.begin() as connection:
        await repository.prune(
            connection, failures_before=now - _FAILURES_KEPT_FOR, successes_before=now - FAMILIAR_FOR
        )
        await prune_tokens(connection, now - _FAILURES_KEPT_FOR)


def _delay_s(failures: int, free: int, longest_s: int) -> int:
    """Return how long to wait after so many failures: nothing while they are free, then twice as long each time."""
    beyond = failures - free
    return 0 if beyond < 0 else min(longest_s, _FIRST_DELAY_S << min(beyond, 16))
