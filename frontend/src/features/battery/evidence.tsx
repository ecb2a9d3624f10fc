import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { Card } from "@/components/ui/card";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatAge, formatDate } from "@/lib/dates";
import { formatQuantity } from "@/lib/units";

import { batteryQueries, type Evidence, type TwinRecord } from "./queries";

/** Half width of a 90 % interval in standard deviations. */
const SD_OF_90_PCT = 1.645;

/** The evidence behind the state of health, each item with its age. */
export function EvidenceCard({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const record = useQuery(batteryQueries.twin(batteryId));
  return (
    <Card title={t("twin.evidence")}>
      <QueryFailure query={record} />
      {record.isPending && <Skeleton height={90} />}
      {record.data && <EvidenceList record={record.data} />}
    </Card>
  );
}

function EvidenceList({ record }: { record: TwinRecord }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { resistance_mohm: resistance, resistance_sd_mohm: spread } = record;
  return (
    <>
      {record.evidence.length === 0 && <EmptyState title={t("twin.noEvidence")} hint={t("twin.noEvidenceHint")} />}
      <ul className="divide-y divide-border" data-testid="evidence">
        {record.evidence.map((item) => (
          <li key={`${item.kind} ${item.at}`} className="flex flex-wrap items-baseline justify-between gap-x-4 py-1.5">
            <span className="font-medium">{t(`twin.kind.${item.kind}`)}</span>
            <EvidenceDetail item={item} />
            <span className="ml-auto text-muted">
              {formatDate(item.at, language)} ·{" "}
              {t("live.ago", { age: formatAge(item.age_days * 86_400_000, language) })}
            </span>
          </li>
        ))}
      </ul>
      {resistance !== null && (
        <p className="mt-2 text-xs text-muted">
          {t("twin.resistance", {
            value: formatQuantity(resistance, "internal_resistance_mohm"),
            spread: formatQuantity(spread === null ? null : SD_OF_90_PCT * spread, "internal_resistance_mohm"),
          })}
        </p>
      )}
    </>
  );
}

function EvidenceDetail({ item }: { item: Evidence }) {
  const { t } = useTranslation();
  if (item.kind === "ohmic") {
    return (
      <span>
        {t("twin.overBaseline", { drift: formatQuantity(item.resistance_drift_pct, "resistance_drift_pct") })}
      </span>
    );
  }
  const { value_pct: value = null, low_pct: low = null, high_pct: high = null } = item.soh ?? {};
  return (
    <span>
      {item.depth_pct !== null && t("twin.depth", { depth: Math.round(item.depth_pct) })}
      {value !== null && low !== null && high !== null && (
        <strong className="ml-2 font-semibold">
          {t("twin.capacity", { value: Math.round(value), low: Math.round(low), high: Math.round(high) })}
        </strong>
      )}
    </span>
  );
}
