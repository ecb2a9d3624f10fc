"""Who is calling: a user with a role or a machine with scopes, and the locations they may see."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from battery_contracts.enums import Role
from battery_servicekit.problems import DomainError


class Scope(StrEnum):
    """What an API key may do."""

    TELEMETRY_WRITE = "telemetry:write"
    TELEMETRY_READ = "telemetry:read"
    FLEET_READ = "fleet:read"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    RULES_WRITE = "rules:write"


class Forbidden(DomainError):
    """The caller is authenticated but may not do this."""

    code, status = "forbidden", 403


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    ``role`` is None for an API key, ``scopes`` is empty for a user. ``location_codes`` None means every location.
    """

    name: str
    user_id: int | None
    role: Role | None
    scopes: frozenset[Scope]
    location_codes: frozenset[str] | None
    session_id: str | None = None

    def may_see(self, location_code: str) -> bool:
        """Return whether the caller may see a location."""
        return self.location_codes is None or location_code in self.location_codes

    def reaches(self, codes: Collection[str] | None) -> bool:
        """Return whether who sees only ``codes`` (None: everything) sees nothing that the caller may not."""
        return self.location_codes is None or (codes is not None and self.location_codes.issuperset(codes))

    def require(self, role: Role, scope: Scope | None = None) -> None:
        """Raise `Forbidden` unless the caller is a user of at least ``role`` or a key with ``scope``."""
        if self.role is not None:
            if self.role.rank < role.rank:
                raise Forbidden(f"This needs the role {role.value}; yours is {self.role.value}.")
        elif scope is None or scope not in self.scopes:
            needed = scope.value if scope else f"a user with role {role.value}"
            raise Forbidden(f"This API key may not do that; it needs {needed}.")


def require_reach(principal: Principal, codes: Collection[str] | None) -> None:
    """Raise `Forbidden` where a caller who is restricted to locations would give rights beyond them."""
    if not principal.reaches(codes):
        own = ", ".join(sorted(principal.location_codes or ()))
        raise Forbidden(f"location_ids: your account is restricted; name locations of yours only ({own}).")
