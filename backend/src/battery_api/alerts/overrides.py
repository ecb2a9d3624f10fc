"""Rules as users see and change them: defaults, overrides by scope, effective values of a battery."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Forbidden, Principal
from battery_api.alerts import override_repository as repository
from battery_api.alerts.engine.floors import BOUNDS_OF, floor_of
from battery_api.alerts.engine.ladders import Rule, SubjectKind
from battery_api.alerts.engine.prediction_rules import PREDICTION_RULES
from battery_api.alerts.engine.rules import RULE_BY_ID, RULES, RULES_OF, WATCH_RULES
from battery_api.alerts.errors import OverrideInvalid, OverrideNotFound, RuleNotFound, ScopeNotFound
from battery_api.alerts.limits import (
    SCOPES_OF,
    EffectiveRule,
    Override,
    OverrideScope,
    OverrideSet,
    load_overrides,
)
from battery_api.alerts.override_checks import check_override
from battery_api.alerts.override_repository import OVERRIDE_VALUES, StoredOverride
from battery_api.alerts.schemas import BoundsOut, EffectiveRuleOut, FloorOut, Origin, OverrideIn, OverrideOut, RuleOut
from battery_api.fleet.catalogue import FleetCatalogue
from battery_api.fleet.errors import BatteryNotFound
from battery_servicekit.pagination import Page, PageRequest


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
        rules = [*RULES, *WATCH_RULES, *PREDICTION_RULES]
        by_rule: dict[str, list[OverrideOut]] = {}
        for stored in await repository.list_overrides(self._connection, self._now):
            if self._may_see(OverrideScope(stored.scope), stored.scope_id):
                by_rule.setdefault(stored.rule_id, []).append(_override_out(stored))
        chosen = rules[page.skip : page.skip + page.limit]
        items = [_rule_out(rule, by_rule.get(rule.rule_id, [])) for rule in chosen]
        return Page(items=items, total=len(rules), skip=page.skip, limit=page.limit)

    async def list_effective(self, battery_id: str, page: PageRequest) -> Page[EffectiveRuleOut]:
        """List the rules of one battery with the values in force and the scope that each comes from."""
        entry = self._catalogue.batteries.get(battery_id)
        if entry is None or not self._principal.may_see(entry.location_code):
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        overrides: OverrideSet = await load_overrides(self._connection, self._now)
        rules = (*RULES_OF[SubjectKind.BATTERY], *PREDICTION_RULES)
        chosen = rules[page.skip : page.skip + page.limit]
        items = [_effective_out(overrides.effective(rule, entry)) for rule in chosen]
        return Page(items=items, total=len(rules), skip=page.skip, limit=page.limit)

    async def put_override(self, rule_id: str, override: OverrideIn) -> OverrideOut:
        """Set the values of a rule for a scope; a value that is left out is no longer overridden there."""
        rule = _rule(rule_id)
        self._check_scope(rule, override.scope, override.scope_id)
        check_override(rule, override, self._principal, self._now)
        values = override.model_dump() | {"updated_at": self._now, "updated_by": self._principal.user_id}
        stored = await repository.put_override(self._connection, rule_id, values)
        await self._audit("alert_rule.override", rule_id, override.model_dump(mode="json", exclude_none=True))
        return _override_out(stored)

    async def delete_override(self, rule_id: str, override_id: int) -> None:
        """Remove an override, so that the wider scope applies again."""
        _rule(rule_id)
        stored = await repository.find_override(self._connection, rule_id, override_id)
        if stored is None or not self._may_see(OverrideScope(stored.scope), stored.scope_id):
            raise OverrideNotFound(f"Rule {rule_id} has no override {override_id} that you may see.")
        self._require_whole_fleet(OverrideScope(stored.scope))
        await repository.delete_override(self._connection, override_id)
        await self._audit("alert_rule.reset", rule_id, {"scope": stored.scope, "scope_id": stored.scope_id})

    def _check_scope(self, rule: Rule, scope: OverrideScope, scope_id: str) -> None:
        allowed = SCOPES_OF[rule.subject]
        if scope not in allowed:
            named = ", ".join(sorted(allowed))
            raise OverrideInvalid(f"Rule {rule.rule_id} applies to a {rule.subject}; it can be overridden by {named}.")
        if not self._exists(scope, scope_id) or not self._may_see(scope, scope_id):
            raise ScopeNotFound(f"No {scope} {scope_id} that you may see.")
        self._require_whole_fleet(scope)

    def _require_whole_fleet(self, scope: OverrideScope) -> None:
        # A model is installed in every location, so only users who see all of them may change its rules.
        if scope is OverrideScope.MODEL and self._principal.location_codes is not None:
            raise Forbidden("An override by model changes every location, and your account is restricted to some.")

    def _exists(self, scope: OverrideScope, scope_id: str) -> bool:
        if scope is OverrideScope.MODEL:
            return any(entry.model_code == scope_id for entry in self._catalogue.batteries.values())
        entries: Mapping[OverrideScope, Mapping[str, object]] = {
            OverrideScope.BATTERY: self._catalogue.batteries,
            OverrideScope.STRING: self._catalogue.strings,
            OverrideScope.LOCATION: self._catalogue.locations,
        }
        return scope_id in entries[scope]

    def _may_see(self, scope: OverrideScope, scope_id: str) -> bool:
        location = scope_id
        if scope is OverrideScope.MODEL:
            return True
        if scope is OverrideScope.BATTERY and scope_id in self._catalogue.batteries:
            location = self._catalogue.batteries[scope_id].location_code
        if scope is OverrideScope.STRING and scope_id in self._catalogue.strings:
            location = self._catalogue.strings[scope_id].location_code
        return self._principal.may_see(location)

    async def _audit(self, action: str, rule_id: str, data: Mapping[str, object]) -> None:
        await record_audit(self._connection, actor=self._principal, action=action, target=rule_id, data=data)


def _rule(rule_id: str) -> Rule:
    rule = RULE_BY_ID.get(rule_id)
    if rule is None:
        raise RuleNotFound(f"No rule {rule_id}; GET alert-rules lists them.")
    return rule


def _override_out(stored: StoredOverride) -> OverrideOut:
    return OverrideOut(
        override_id=stored.override_id,
        rule_id=stored.rule_id,
        scope=OverrideScope(stored.scope),
        scope_id=stored.scope_id,
        updated_at=stored.updated_at,
        updated_by=stored.username,
        reason=stored.reason,
        expires_at=stored.expires_at,
        **{name: getattr(stored, name) for name in OVERRIDE_VALUES},
    )


def _rule_out(rule: Rule, overrides: Sequence[OverrideOut]) -> RuleOut:
    taken = set(RuleOut.model_fields) - {"overrides", "floor", "bounds"}
    floor = floor_of(rule)
    bounds = BOUNDS_OF.get(rule.signal)
    return RuleOut(
        **{name: getattr(rule, name) for name in taken},
        floor=None if floor is None else FloorOut(**floor._asdict()),
        bounds=BoundsOut(**bounds._asdict()) if rule.adjustable and bounds is not None else None,
        overrides=list(overrides),
    )


def _effective_out(effective: EffectiveRule) -> EffectiveRuleOut:
    rule = effective.rule
    taken = ("rule_id", "type", "severity", "respond_within", "signal", "direction", "unit", "gate", "source")
    return EffectiveRuleOut(
        **{name: getattr(rule, name) for name in taken},
        **{name: getattr(effective, name) for name in OVERRIDE_VALUES},
        origin={name: _origin(override) for name, override in effective.origin.items()},
    )


def _origin(override: Override | None) -> Origin:
    if override is None:
        return Origin(scope="default", scope_id=None)
    return Origin(scope=override.scope, scope_id=override.scope_id)
