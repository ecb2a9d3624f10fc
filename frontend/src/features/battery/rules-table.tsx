import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { SeverityLabel } from "@/components/status";
import { Card } from "@/components/ui/card";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";
import { unitText, useLanguage } from "@/i18n";
import { formatAge } from "@/lib/dates";

import { batteryQueries, type EffectiveRule } from "./queries";

/** The alert rules that apply to this battery, and the source of each threshold. */
export function RulesTable({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const rules = useQuery(batteryQueries.rules(batteryId));
  const items = rules.data?.items ?? [];
  return (
    <Card title={t("battery.rules")} className="mt-3">
      <QueryFailure query={rules} />
      {rules.isPending && <Skeleton height={200} />}
      {rules.isSuccess && items.length === 0 && <EmptyState title={t("battery.noRules")} />}
      {items.length > 0 && <Rules rules={items} />}
    </Card>
  );
}

function Rules({ rules }: { rules: EffectiveRule[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const originText = ({ scope, scope_id: scopeId }: EffectiveRule["origin"][string]) =>
    scopeId === null ? t(`battery.scope.${scope}`) : `${t(`battery.scope.${scope}`)} ${scopeId}`;
  return (
    <ScrollRegion label={t("battery.rules")} className="overflow-x-auto">
      <table className="w-full min-w-[36rem] text-left">
        <thead className="text-muted">
          <tr>
            <th className="py-1 font-medium">{t("battery.rule")}</th>
            <th className="font-medium">{t("alerts.severity")}</th>
            <th className="font-medium">{t("battery.raises")}</th>
            <th className="font-medium">{t("battery.holds")}</th>
            <th className="font-medium">{t("battery.source")}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-border">
          {rules.map((rule) => (
            <tr key={rule.rule_id}>
              <td className="py-1">{t(`type.${rule.type}`)}</td>
              <td>
                <SeverityLabel severity={rule.severity} />
              </td>
              <td>
                {rule.direction === "below" ? "< " : "> "}
                {rule.unit === "s"
                  ? formatAge(rule.raise_value * 1000, language)
                  : `${rule.raise_value} ${unitText(rule.unit)}`}
              </td>
              <td>{formatAge(rule.hold_s * 1000, language)}</td>
              <td className="text-muted">{rule.origin.raise_value ? originText(rule.origin.raise_value) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
