import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay, useSession } from "@/api/session";
import type { AlertRule, OverrideScope, RuleOverride } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, QueryFailure, RefreshFailed, Skeleton } from "@/components/ui/states";
import { alertTypeText } from "@/i18n/alert-texts";

import { conditionText } from "./condition";
import { byType, searchText, selectRules } from "./filters";
import { OverrideEditor } from "./override-editor";
import { RemovalDialog } from "./removal-dialog";
import { RuleItem } from "./rule-item";
import { rulesAt, useScopeSources } from "./scope-view";
import type { Scope } from "./scopes";

interface RuleListProps {
  rules: readonly AlertRule[];
  scope: Scope | null;
  params: URLSearchParams;
  onReset: () => void;
}

/** The rules by type, with the values at the scope, and the dialogs that change them. */
export function RuleList({ rules, scope, params, onReset }: RuleListProps) {
  const { t } = useTranslation();
  const { queries, failed, isPending, isKnown, sources } = useScopeSources(scope);
  const mayChange = useMayChange();
  const [editing, setEditing] = useState<{ ruleId: string; scope: Scope } | null>(null);
  const [removing, setRemoving] = useState<RuleOverride | null>(null);
  if (failed !== undefined) return <QueryFailure query={failed} />;
  if (isPending) return <Skeleton height={400} />;
  if (scope !== null && !isKnown)
    return (
      <EmptyState
        title={t("rules.scope.unknown", { kind: t(`rules.scope.kind.${scope.kind}`).toLowerCase(), id: scope.id })}
      />
    );
  const views = new Map(rulesAt(rules, scope, sources).map((view) => [view.rule.rule_id, view]));
  const hiddenCount = rules.length - views.size;
  const shown = selectRules(
    [...views.values()].map(({ rule }) => rule),
    params,
    (rule) => {
      const view = views.get(rule.rule_id);
      return view === undefined ? "" : searchText(rule, conditionText(rule, view.effective.values, t), t);
    },
  );
  const edited = rules.find((rule) => rule.rule_id === editing?.ruleId);
  const reduced = rules.find((rule) => rule.rule_id === removing?.rule_id);
  return (
    <>
      {queries.map((query, index) => (
        <RefreshFailed key={index} query={query} />
      ))}
      <p role="status" className="mb-2 text-muted">
        {t("rules.count", { count: shown.length })}
        {hiddenCount > 0 && ` · ${t("rules.hidden", { count: hiddenCount })}`}
      </p>
      {scope?.kind === "model" && !mayChange("model") && <p className="mb-2 text-muted">{t("rules.modelFleet")}</p>}
      {shown.length === 0 && (
        <EmptyState
          title={t("rules.empty")}
          hint={t("rules.emptyHint")}
          action={
            <Button className="mt-2" onClick={onReset}>
              {t("alerts.reset")}
            </Button>
          }
        />
      )}
      <div className="grid gap-3">
        {byType(shown).map(([type, group]) => (
          <Card key={type} title={alertTypeText(type)}>
            <ul className="divide-y divide-border">
              {group
                .flatMap((rule) => views.get(rule.rule_id) ?? [])
                .map((view) => (
                  <RuleItem
                    key={view.rule.rule_id}
                    {...view}
                    scope={scope}
                    mayEdit={scope !== null && mayChange(scope.kind)}
                    mayChange={mayChange}
                    onEdit={(chosen) => setEditing({ ruleId: view.rule.rule_id, scope: chosen })}
                    onRemove={setRemoving}
                  />
                ))}
            </ul>
          </Card>
        ))}
      </div>
      {edited !== undefined && editing !== null && (
        <OverrideEditor rule={edited} scope={editing.scope} onClose={() => setEditing(null)} />
      )}
      {reduced !== undefined && removing !== null && (
        <RemovalDialog rule={reduced} override={removing} onClose={() => setRemoving(null)} />
      )}
    </>
  );
}

/** Engineers change rules; those of a model only users who see every location, because it can be in any. */
function useMayChange(): (kind: OverrideScope) => boolean {
  const isEngineer = useMay("engineer");
  const seesAll = useSession((state) => state.user !== null && state.user.location_ids === null);
  return (kind) => isEngineer && (kind !== "model" || seesAll);
}
