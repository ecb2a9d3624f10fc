"""The limits in force for a subject: the defaults of each rule with its overrides, the nearest scope first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts import override_repository as repository
from battery_api.alerts.engine.batch import LimitTable
from battery_api.alerts.engine.ladders import SECOND_US, Direction, Limits, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.alerts.override_repository import OVERRIDE_VALUES, StoredOverride
from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry

REFRESH_S: Final = 30.0
"""How long a change by another replica may go unnoticed."""


class OverrideScope(StrEnum):
    """Where an override applies, nearest first."""

    BATTERY = "battery"
    STRING = "string"
    LOCATION = "location"
    MODEL = "model"


SCOPES_OF: Final[Mapping[SubjectKind, frozenset[OverrideScope]]] = {
    SubjectKind.BATTERY: frozenset(OverrideScope),
    SubjectKind.STRING: frozenset({OverrideScope.STRING, OverrideScope.LOCATION}),
    SubjectKind.LOCATION: frozenset({OverrideScope.LOCATION}),
}
"""Scopes at which the rules of a kind of subject can be overridden."""


@dataclass(frozen=True, slots=True)
class Override:
    """Values of a rule within a scope; None keeps that of the wider scope."""

    rule_id: str
    scope: OverrideScope
    scope_id: str
    raise_value: float | None = None
    clear_value: float | None = None
    hold_s: float | None = None
    clear_hold_s: float | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """Values in force, and the scope each comes from; None is the rule's default."""

    rule: Rule
    raise_value: float
    clear_value: float
    hold_s: float
    clear_hold_s: float
    enabled: bool
    origin: Mapping[str, Override | None]

    def limits(self) -> Limits:
        """Return the values in the engine's units."""
        hold_us, clear_hold_us = round(self.hold_s * SECOND_US), round(self.clear_hold_s * SECOND_US)
        return Limits(self.raise_value, self.clear_value, hold_us, clear_hold_us, self.enabled)


def resolve(rule: Rule, nearest_first: Sequence[Override]) -> EffectiveRule:
    """Merge overrides of one rule, value by value, the nearest scope winning.

    Raise and clear value belong together: a scope that sets one of them sets both, the other at the rule's default
    distance, so that two scopes never combine to a clear value on the wrong side.
    """
    origin: dict[str, Override | None] = {}
    band = next((item for item in nearest_first if item.raise_value is not None or item.clear_value is not None), None)
    raise_value, clear_value = rule.raise_value, rule.clear_value
    if band is not None:
        raise_value, clear_value = band_of(rule, band.raise_value, band.clear_value)
    origin["raise_value"] = origin["clear_value"] = band
    values = {}
    for name in ("hold_s", "clear_hold_s", "enabled"):
        origin[name] = next((item for item in nearest_first if getattr(item, name) is not None), None)
        values[name] = getattr(origin[name] or rule, name, True)  # a rule itself is always enabled
    return EffectiveRule(
        rule, raise_value, clear_value, values["hold_s"], values["clear_hold_s"], values["enabled"], origin
    )


def band_of(rule: Rule, raise_value: float | None, clear_value: float | None) -> tuple[float, float]:
    """Complete a band of which one side may be missing with the rule's default distance."""
    width = rule.raise_value - rule.clear_value
    if raise_value is None:
        raise_value = rule.raise_value if clear_value is None else clear_value + width
    return raise_value, raise_value - width if clear_value is None else clear_value


def is_band_valid(rule: Rule, raise_value: float, clear_value: float) -> bool:
    """Return whether the clear value is on the good side of the raise value, or equal to it."""
    return clear_value <= raise_value if rule.direction is Direction.ABOVE else clear_value >= raise_value


Scopes = tuple[tuple[OverrideScope, str], ...]


def scopes_of(entry: BatteryEntry | StringEntry | LocationEntry) -> Scopes:
    """Return the scopes that apply to a subject, nearest first."""
    if isinstance(entry, BatteryEntry):
        return (
            (OverrideScope.BATTERY, entry.code),
            (OverrideScope.STRING, entry.string_code),
            (OverrideScope.LOCATION, entry.location_code),
            (OverrideScope.MODEL, entry.model_code),
        )
    if isinstance(entry, StringEntry):
        return ((OverrideScope.STRING, entry.code), (OverrideScope.LOCATION, entry.location_code))
    return ((OverrideScope.LOCATION, entry.code),)


class OverrideSet:
    """Every override, indexed by rule and scope."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._by_rule: dict[str, dict[tuple[OverrideScope, str], Override]] = {}
        for override in overrides:
            if override.rule_id in RULE_BY_ID:
                self._by_rule.setdefault(override.rule_id, {})[override.scope, override.scope_id] = override

    def effective(self, rule: Rule, entry: BatteryEntry | StringEntry | LocationEntry) -> EffectiveRule:
        """Return the values of a rule for a subject."""
        return resolve(rule, self._nearest_first(rule.rule_id, entry))

    def limit_table(
        self, rules: Sequence[Rule], entries: Sequence[BatteryEntry | StringEntry | LocationEntry]
    ) -> LimitTable:
        """Return the limits of subjects by index; without overrides this costs nothing."""
        table: dict[str, dict[int, Limits]] = {}
        for rule in rules:
            if rule.rule_id not in self._by_rule:
                continue
            special = {}
            for index, entry in enumerate(entries):
                overrides = self._nearest_first(rule.rule_id, entry)
                if overrides:
                    special[index] = resolve(rule, overrides).limits()
            if special:
                table[rule.rule_id] = special
        return LimitTable(table)

    def _nearest_first(self, rule_id: str, entry: BatteryEntry | StringEntry | LocationEntry) -> list[Override]:
        by_scope = self._by_rule.get(rule_id)
        if not by_scope:
            return []
        return [by_scope[scope] for scope in scopes_of(entry) if scope in by_scope]


class OverrideCache:
    """The overrides, read again after a change in this process and every 30 s."""

    def __init__(self, *, max_age_s: float = REFRESH_S) -> None:
        self._max_age_s = max_age_s
        self._overrides: OverrideSet | None = None
        self._read_at: datetime | None = None
        self._changes_at: datetime | None = None
        self._generation = 0

    async def get(self, connection: AsyncConnection, now: datetime) -> OverrideSet:
        """Return the overrides in force."""
        age_s = None if self._read_at is None else (now - self._read_at).total_seconds()
        has_expired = self._changes_at is not None and now >= self._changes_at
        if self._overrides is None or age_s is None or has_expired or not 0 <= age_s < self._max_age_s:
            generation = self._generation
            stored = await repository.list_overrides(connection, now)
            self._overrides = OverrideSet(_as_override(one) for one in stored)
            self._changes_at = min((one.expires_at for one in stored if one.expires_at is not None), default=None)
            # Overrides that changed while they were read serve this batch and are read again for the next.
            self._read_at = now if generation == self._generation else None
        return self._overrides

    def forget(self) -> None:
        """Read again at the next use."""
        self._generation += 1
        self._read_at = None


async def load_overrides(connection: AsyncConnection, now: datetime) -> OverrideSet:
    """Read every override in force."""
    return OverrideSet(_as_override(stored) for stored in await repository.list_overrides(connection, now))


def _as_override(stored: StoredOverride) -> Override:
    return Override(
        rule_id=stored.rule_id,
        scope=OverrideScope(stored.scope),
        scope_id=stored.scope_id,
        **{name: getattr(stored, name) for name in OVERRIDE_VALUES},
    )
