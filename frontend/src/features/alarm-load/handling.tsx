import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { IncidentFigures } from "@/api/types";
import { SeverityLabel } from "@/components/status";
import { useLanguage } from "@/i18n";
import { formatAge, type Language } from "@/lib/dates";

type Row = IncidentFigures["handling"][number];

/** How soon incidents were acknowledged and over, by severity. */
export function Handling({ handling }: { handling: readonly Row[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <table className="w-full" data-testid="handling">
      <thead className="text-left text-muted">
        <tr>
          <th scope="col">{t("load.severity")}</th>
          <th scope="col" className="text-right">
            {t("load.incidents")}
          </th>
          <th scope="col" className="pl-4">
            {t("load.acknowledge")}
          </th>
          <th scope="col" className="pl-4">
            {t("load.clear")}
          </th>
        </tr>
      </thead>
      <tbody>
        {handling.map((row) => (
          <tr key={row.severity} className="border-t border-border align-top">
            <th scope="row" className="py-1 text-left font-normal">
              <SeverityLabel severity={row.severity} />
            </th>
            <td className="py-1 text-right">{row.incident_count}</td>
            <td className="py-1 pl-4">
              {halfText(row.acknowledge_p50_s, row.acknowledge_p90_s, row.acknowledged_count, t, language)}
            </td>
            <td className="py-1 pl-4">{halfText(row.clear_p50_s, row.clear_p90_s, row.cleared_count, t, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function halfText(p50: number | null, p90: number | null, count: number, t: TFunction, language: Language): string {
  if (p50 === null || p90 === null) return t("load.nothing");
  const span = (seconds: number) => formatAge(Math.max(0, seconds) * 1000, language);
  return t("load.half", { p50: span(p50), p90: span(p90), count });
}
