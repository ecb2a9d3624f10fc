import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { SeverityLabel } from "@/components/status";
import { Card } from "@/components/ui/card";
import { useLanguage } from "@/i18n";
import { formatAge } from "@/lib/dates";

import { batteryQueries } from "./queries";

/** The rules that hold for this battery, and where each value comes from. */
export function RulesTable({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { data } = useQuery(batteryQueries.rules(batteryId));
  return (
    <Card title={t("battery.rules")} className="mt-3">
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard */}
      <div className="overflow-x-auto" role="region" aria-label={t("battery.rules")} tabIndex={0}>
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
            {data?.items.map((rule) => (
              <tr key={rule.rule_id}>
                <td className="py-1">{t(`type.${rule.type}`)}</td>
                <td>
                  <SeverityLabel severity={rule.severity} />
                </td>
                <td>
                  {rule.direction === "below" ? "< " : "> "}
                  {rule.raise_value} {rule.unit}
                </td>
                <td>{formatAge(rule.hold_s * 1000, language)}</td>
                <td className="text-muted">
                  {rule.origin.raise_value?.scope_id ?? rule.origin.raise_value?.scope ?? "–"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
