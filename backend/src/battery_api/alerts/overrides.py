"""Rules as people see and change them: defaults, overrides by scope, effective values of a battery."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Forbidden, Principal
from battery_api.alerts.effective import (
    SCOPES_OF,
    Effective,
    Override,
    OverrideSet,
    Scope,
    band_of,
    is_band_valid,
    load_overrides,
)
from battery_api.alerts.engine.rules import RULE_BY_ID, RULES, RULES_OF, WATCH_RULES, Direction, Rule, SubjectKind
from battery_api.alerts.errors import OverrideInvalid, OverrideNotFound, RuleNotFound, ScopeNotFound
from battery_api.alerts.schemas import EffectiveRuleOut, Origin, OverrideIn, OverrideOut, RuleOut
from battery_api.db.tables.alerts import AlertRuleOverride
from battery_api.fleet.catalogue import FleetCatalogue
from battery_api.fleet.errors import BatteryNotFound
from battery_servicekit.pagination import Page, PageRequest

_STORED: Final = text(
    'select o.*, u.username from alert_rule_override o left join "user" u on u.id = o.updated_by '
    "order by o.rule_id, o.scope, o.scope_id"
)
_VALUES: Final = ("raise_value", "clear_value", "hold_s", "clear_hold_s", "enabled")


class RuleService:
    """Rules for one caller on one connection."""

    def __init__(
        self, connection: AsyncConnection, principal: Principal, catalogue: FleetCatalogue, now: datetime
    ) -> None:
        self._connection = connection
        self._principal = principal
        self._catalogue = catalogue
        self._now = now

    async def list_rules(self, page: PageRequest) -> Page[RuleOut]:
        """List every rule with its overrides."""
        rules = [*RULES, *WATCH_RULES]
        by_rule: dict[str, list[OverrideOut]] = {}
        for row in (await self._connection.execute(_STORED)).mappings():
            if self._may_see(Scope(row["scope"]), row["scope_id"]):
                by_rule.setdefault(row["rule_id"], []).append(_override_out(row))
        chosen = rules[page.skip : page.skip + page.limit]
        items = [_rule_out(rule, by_rule.get(rule.rule_id, [])) for rule in chosen]
        return Page(items=items, total=len(rules), skip=page.skip, limit=page.limit)

    async def list_effective(self, battery_id: str, page: PageRequest) -> Page[EffectiveRuleOut]:
        """List the rules of one battery with the values in force and where each comes from."""
        entry = self._catalogue.batteries.get(battery_id)
        if entry is None or not self._principal.may_see(entry.location_code):
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        overrides: OverrideSet = await load_overrides(self._connection)
        rules = RULES_OF[SubjectKind.BATTERY]
        chosen = rules[page.skip : page.skip + page.limit]
        items = [_effective_out(overrides.effective(rule, entry)) for rule in chosen]
        return Page(items=items, total=len(rules), skip=page.skip, limit=page.limit)

    async def put_override(self, rule_id: str, wanted: OverrideIn) -> OverrideOut:
        """Set the values of a rule for a scope; values left out are no longer overridden there."""
        rule = _rule(rule_id)
        self._check_scope(rule, wanted.scope, wanted.scope_id)
        _check_values(rule, wanted)
        values = wanted.model_dump(mode="json") | {"updated_at": self._now, "updated_by": self._principal.user_id}
        statement = insert(AlertRuleOverride).values(rule_id=rule_id, **values)
        statement = statement.on_conflict_do_update(
            index_elements=["rule_id", "scope", "scope_id"],
            set_={name: statement.excluded[name] for name in (*_VALUES, "updated_at", "updated_by")},
        )
        override_id = await self._connection.scalar(statement.returning(AlertRuleOverride.id))
        await self._audit("alert_rule.override", rule_id, wanted.model_dump(mode="json", exclude_none=True))
        rows = (await self._connection.execute(_STORED)).mappings()
        return next(_override_out(row) for row in rows if row["id"] == override_id)

    async def delete_override(self, rule_id: str, override_id: int) -> None:
        """Remove an override, so that the wider scope holds again."""
        _rule(rule_id)
        table = AlertRuleOverride
        found = select(table.scope, table.scope_id).where(table.id == override_id, table.rule_id == rule_id)
        row = (await self._connection.execute(found)).first()
        if row is None or not self._may_see(Scope(row.scope), row.scope_id):
            raise OverrideNotFound(f"Rule {rule_id} has no override {override_id} that you may see.")
        self._require_whole_fleet(Scope(row.scope))
        await self._connection.execute(delete(table).where(table.id == override_id))
        await self._audit("alert_rule.reset", rule_id, {"scope": row.scope, "scope_id": row.scope_id})

    def _check_scope(self, rule: Rule, scope: Scope, scope_id: str) -> None:
        allowed = SCOPES_OF[rule.subject]
        if scope not in allowed:
            named = ", ".join(sorted(allowed))
            raise OverrideInvalid(f"Rule {rule.rule_id} is about a {rule.subject}; it can be overridden by {named}.")
        if not self._exists(scope, scope_id) or not self._may_see(scope, scope_id):
            raise ScopeNotFound(f"No {scope} {scope_id} that you may see.")
        self._require_whole_fleet(scope)

    def _require_whole_fleet(self, scope: Scope) -> None:
        # A model's blocks stand in every location, so only who sees all of them may change their rules.
        if scope is Scope.MODEL and self._principal.location_codes is not None:
            raise Forbidden("An override by model changes every location; yours are restricted.")

    def _exists(self, scope: Scope, scope_id: str) -> bool:
        if scope is Scope.MODEL:
            return any(entry.model_code == scope_id for entry in self._catalogue.batteries.values())
        known: Mapping[Scope, Mapping[str, object]] = {
            Scope.BATTERY: self._catalogue.batteries,
            Scope.STRING: self._catalogue.strings,
            Scope.LOCATION: self._catalogue.locations,
        }
        return scope_id in known[scope]

    def _may_see(self, scope: Scope, scope_id: str) -> bool:
        location = scope_id
        if scope is Scope.MODEL:
            return True
        if scope is Scope.BATTERY and scope_id in self._catalogue.batteries:
            location = self._catalogue.batteries[scope_id].location_code
        if scope is Scope.STRING and scope_id in self._catalogue.strings:
            location = self._catalogue.strings[scope_id].location_code
        return self._principal.may_see(location)

    async def _audit(self, action: str, rule_id: str, data: Mapping[str, object]) -> None:
        await record_audit(self._connection, actor=self._principal, action=action, target=rule_id, data=data)


def _rule(rule_id: str) -> Rule:
    rule = RULE_BY_ID.get(rule_id)
    if rule is None:
        raise RuleNotFound(f"No rule {rule_id}; GET alert-rules lists them.")
    return rule


def _check_values(rule: Rule, wanted: OverrideIn) -> None:
    if not rule.adjustable:
        raise OverrideInvalid(f"Rule {rule.rule_id} is not adjustable.")
    if all(getattr(wanted, name) is None for name in _VALUES):
        raise OverrideInvalid(f"Give at least one of {', '.join(_VALUES)}; DELETE removes an override.")
    raise_value, clear_value = band_of(rule, wanted.raise_value, wanted.clear_value)
    if not is_band_valid(rule, raise_value, clear_value):
        side = "at or below" if rule.direction is Direction.ABOVE else "at or above"
        raise OverrideInvalid(f"clear_value {clear_value} must lie {side} raise_value {raise_value}.")


def _override_out(row: RowMapping) -> OverrideOut:
    return OverrideOut(
        override_id=row["id"],
        rule_id=row["rule_id"],
        scope=row["scope"],
        scope_id=row["scope_id"],
        updated_at=row["updated_at"],
        updated_by=row["username"],
        **{name: row[name] for name in _VALUES},
    )


def _rule_out(rule: Rule, overrides: Sequence[OverrideOut]) -> RuleOut:
    taken = set(RuleOut.model_fields) - {"overrides"}
    return RuleOut(**{name: getattr(rule, name) for name in taken}, overrides=list(overrides))


def _effective_out(effective: Effective) -> EffectiveRuleOut:
    rule = effective.rule
    taken = ("rule_id", "type", "severity", "respond_within", "signal", "direction", "unit", "gate", "source")
    return EffectiveRuleOut(
        **{name: getattr(rule, name) for name in taken},
        **{name: getattr(effective, name) for name in _VALUES},
        origin={name: _origin(override) for name, override in effective.origin.items()},
    )


def _origin(override: Override | None) -> Origin:
    if override is None:
        return Origin(scope="default", scope_id=None)
    return Origin(scope=override.scope, scope_id=override.scope_id)
