import type { AlertRule, BatterySummary, OverrideScope, RuleOverride } from "@/api/types";

/** What values can be set for. */
export interface Scope {
  kind: OverrideScope;
  id: string;
}

export type Member = Pick<BatterySummary, "battery_id" | "string_id" | "location_id" | "model_id">;

/** Nearest first. */
export const scopeKinds = ["battery", "string", "location", "model"] as const satisfies readonly OverrideScope[];

const allowedKinds: Record<AlertRule["subject"], readonly OverrideScope[]> = {
  battery: scopeKinds,
  string: ["string", "location"],
  location: ["location"],
};

/** Whether the values of a rule can be set at scopes of a kind. */
export function isAllowed(rule: AlertRule, kind: OverrideScope): boolean {
  return allowedKinds[rule.subject].includes(kind);
}

/** The scope of the address, as `string:DC-CNX-01-UPS-01-STR-01`; null where it names none. */
export function scopeOf(text: string | null): Scope | null {
  const [, kind, id] = /^(\w+):(.+)$/.exec(text ?? "") ?? [];
  const known = scopeKinds.find((candidate) => candidate === kind);
  return known === undefined || id === undefined ? null : { kind: known, id };
}

export function addressOf(scope: Scope): string {
  return `${scope.kind}:${scope.id}`;
}

export function isSame(scope: Scope, override: Pick<RuleOverride, "scope" | "scope_id">): boolean {
  return scope.kind === override.scope && scope.id === override.scope_id;
}

export function membersOf(scope: Scope, fleet: readonly Member[]): Member[] {
  return fleet.filter((battery) => battery[`${scope.kind}_id`] === scope.id);
}

/**
 * The scopes that apply to every battery of a scope, nearest first. The model is among them only where all its
 * batteries are of one model.
 */
export function chainOf(scope: Scope, fleet: readonly Member[]): Scope[] {
  const members = membersOf(scope, fleet);
  return scopeKinds
    .slice(scopeKinds.indexOf(scope.kind))
    .map((kind): [OverrideScope, Set<string>] => [kind, new Set(members.map((battery) => battery[`${kind}_id`]))])
    .flatMap(([kind, ids]) => (ids.size === 1 ? [...ids].map((id): Scope => ({ kind, id })) : []));
}

/** The overrides of a rule that apply to a whole scope, nearest first. */
export function overridesFor(rule: AlertRule, chain: readonly Scope[]): RuleOverride[] {
  return chain
    .filter(({ kind }) => isAllowed(rule, kind))
    .flatMap((scope) => rule.overrides.find((override) => isSame(scope, override)) ?? []);
}

/** The overrides that give a part of a scope values of its own, so that those of the scope do not hold there. */
export function overridesWithin(rule: AlertRule, scope: Scope, fleet: readonly Member[]): RuleOverride[] {
  const chain = chainOf(scope, fleet);
  const members = membersOf(scope, fleet);
  return rule.overrides.filter(
    (override) =>
      !chain.some((wider) => isSame(wider, override)) &&
      members.some((battery) => battery[`${override.scope}_id`] === override.scope_id),
  );
}

/** How many subjects of a rule lie in a scope. */
export function subjectCount(rule: AlertRule, scope: Scope, fleet: readonly Member[]): number {
  return new Set(membersOf(scope, fleet).map((battery) => battery[`${rule.subject}_id`])).size;
}
