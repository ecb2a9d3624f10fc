import { useQuery } from "@tanstack/react-query";

import { ruleQueries } from "@/api/queries";
import type { AlertRule, EffectiveRule, RuleOverride } from "@/api/types";

import { type Effective, effectiveOf, resolve } from "./effective";
import { rulesQueries } from "./queries";
import { chainOf, isAllowed, type Member, membersOf, overridesFor, overridesWithin, type Scope } from "./scopes";

/** A rule with the values that are shown of it. */
export interface RuleView {
  rule: AlertRule;
  effective: Effective;
  nearer: readonly RuleOverride[];
}

interface Sources {
  fleet: readonly Member[];
  /** The gateway's own answer for a battery; null for a wider scope. */
  ofBattery: readonly EffectiveRule[] | null;
}

/** The rules that can be set at a scope with their values there; without a scope all rules with their defaults. */
export function rulesAt(rules: readonly AlertRule[], scope: Scope | null, { fleet, ofBattery }: Sources): RuleView[] {
  if (scope === null) return rules.map((rule) => ({ rule, effective: resolve(rule, []), nearer: [] }));
  const chain = chainOf(scope, fleet);
  const answers = new Map(ofBattery?.map((answer) => [answer.rule_id, effectiveOf(answer)]));
  return rules
    .filter((rule) => isAllowed(rule, scope.kind))
    .map((rule) => ({
      rule,
      effective: answers.get(rule.rule_id) ?? resolve(rule, overridesFor(rule, chain)),
      nearer: overridesWithin(rule, scope, fleet),
    }));
}

/** What is needed to know the values at a scope, as far as it has been read. */
export function useScopeSources(scope: Scope | null) {
  const isBattery = scope?.kind === "battery";
  const fleet = useQuery({ ...rulesQueries.fleet(), enabled: scope !== null });
  const ofBattery = useQuery({ ...ruleQueries.ofBattery(scope?.id ?? ""), enabled: isBattery });
  const queries = [fleet, ...(isBattery ? [ofBattery] : [])];
  const isKnown = scope === null || (fleet.data !== undefined && membersOf(scope, fleet.data).length > 0);
  return {
    queries,
    failed: queries.find((query) => query.isLoadingError),
    isPending: scope !== null && (fleet.isPending || (isBattery && isKnown && ofBattery.isPending)),
    isKnown,
    sources: { fleet: fleet.data ?? [], ofBattery: isBattery ? (ofBattery.data?.items ?? null) : null },
  };
}
