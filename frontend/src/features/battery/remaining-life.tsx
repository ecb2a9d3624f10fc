import { useQuery } from "@tanstack/react-query";
import { CircleHelp, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { BatteryRul, RulEntry } from "@/api/types";
import { useEndText } from "@/components/remaining-life/end-text";
import { useSpanText } from "@/components/remaining-life/span-text";
import { useWhyText } from "@/components/remaining-life/withheld-text";
import { Card } from "@/components/ui/card";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { isPeerQuantity, useLanguage } from "@/i18n";
import { formatDate, formatDateTime } from "@/lib/dates";
import { daysLeft, isOverdue, type KnownDays, knownDays } from "@/lib/remaining-life";
import { useNow } from "@/realtime/hooks";

import { batteryQueries } from "./queries";
import { RulConflict } from "./rul-conflict";
import { RulFan } from "./rul-fan";
import { RulPromises } from "./rul-promises";
import { RulReasons } from "./rul-reasons";

/** When the battery falls to 80 %, by whom, why, and what was promised before; or why nobody knows. */
export function RemainingLife({ batteryId }: { batteryId: string }) {
  const { t } = useTranslation();
  const record = useQuery(batteryQueries.rul(batteryId));
  return (
    <Card title={t("rul.title")} className="mt-3">
      <QueryFailure query={record} />
      {record.isPending && <Skeleton height={220} />}
      {record.data && <Record record={record.data} />}
    </Card>
  );
}

function Record({ record }: { record: BatteryRul }) {
  const { latest, missing_reason: missing } = record;
  if (latest === null) return <Withheld reason={missing ?? "not_predicted_yet"} />;
  return (
    <div className="space-y-4" data-testid="remaining-life">
      <Verdict entry={latest} isRetired={missing === "retired"} />
      <RulConflict entry={latest} />
      <div className="grid gap-4 lg:grid-cols-2">
        <RulFan entry={latest} />
        <RulReasons entry={latest} />
      </div>
      <Widened reasons={latest.widened_because} />
      <PeerDeviation entry={latest} />
      <RulPromises entries={record.items} total={record.total} />
    </div>
  );
}

function Verdict({ entry, isRetired }: { entry: RulEntry; isRetired: boolean }) {
  const now = useNow(60_000);
  const days = knownDays(entry.fused);
  return (
    <div>
      {days === null ? (
        <Withheld reason={entry.fused.withheld_reason ?? "not_predicted_yet"} />
      ) : (
        <KnownEnd days={days} entry={entry} now={now} />
      )}
      <Origin entry={entry} now={now} isRetired={isRetired} />
    </div>
  );
}

function KnownEnd({ days, entry, now }: { days: KnownDays; entry: RulEntry; now: number }) {
  const { t } = useTranslation();
  const endText = useEndText();
  const spanText = useSpanText();
  // What has passed since `as_of` is not promised again.
  const left = (value: number) =>
    spanText(
      daysLeft(value, entry.as_of, now),
      days.longerThan === null ? null : daysLeft(days.longerThan, entry.as_of, now),
    );
  return (
    <>
      <p className="text-base font-semibold">{endText(days, entry.as_of, now)}</p>
      <p className="text-muted" title={t("rul.intervalHint")}>
        {t("rul.interval", { low: left(days.p10), mid: left(days.p50), high: left(days.p90) })}
      </p>
      {daysLeft(days.p10, entry.as_of, now) === 0 && (
        <p className="font-medium text-warning-text">
          <TriangleAlert aria-hidden size={14} className="mr-1 inline align-text-bottom" />
          {t("rul.mayBeOver")}
        </p>
      )}
    </>
  );
}

function Origin({ entry, now, isRetired }: { entry: RulEntry; now: number; isRetired: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { twin_weight: weight, model_version: version } = entry;
  const parts = [
    t("rul.predicted", {
      date: formatDateTime(entry.predicted_at, language),
      asOf: formatDate(Date.parse(entry.as_of) - 1, language),
    }),
    t(`rul.source.${entry.source}`),
    ...(weight === null
      ? []
      : [t("rul.weight", { twin: Math.round(100 * weight), ml: 100 - Math.round(100 * weight) })]),
    ...(version === null ? [] : [t("rul.version", { version })]),
    ...(entry.twin_provenance === null
      ? []
      : [t("rul.evidence", { provenance: t(`provenance.${entry.twin_provenance}`) })]),
  ];
  return (
    <div className="mt-1 text-xs break-words text-muted">
      <p>{parts.join(" · ")}</p>
      {isRetired ? (
        <p>{t("rul.retired")}</p>
      ) : (
        isOverdue(entry.predicted_at, now) && (
          <p className="font-medium text-warning-text">
            <TriangleAlert aria-hidden size={13} className="mr-1 inline align-text-bottom" />
            {t("rul.overdue", { date: formatDate(entry.predicted_at, language) })}
          </p>
        )
      )}
    </div>
  );
}

/** Hatched as everything that is not known, never quiet. */
function Withheld({ reason }: { reason: string }) {
  const { t } = useTranslation();
  const whyText = useWhyText();
  return (
    <div className="flex gap-3" data-testid="rul-withheld">
      <span aria-hidden className="hatched w-3 shrink-0 rounded-sm border border-border-strong" />
      <div className="min-w-0">
        <p className="flex items-center gap-1 font-semibold">
          <CircleHelp aria-hidden size={16} className="shrink-0" />
          {t("rul.withheldTitle")}
        </p>
        <p className="break-words">{whyText(reason)}</p>
        <p className="text-muted">{t("rul.withheldHint")}</p>
      </div>
    </div>
  );
}

function Widened({ reasons }: { reasons: readonly string[] }) {
  const { t } = useTranslation();
  const whyText = useWhyText();
  if (reasons.length === 0) return null;
  return (
    <div>
      <h3 className="font-medium">{t("rul.widened")}</h3>
      <ul className="list-disc pl-5 text-muted">
        {reasons.map((reason) => (
          <li key={reason} className="break-words">
            {whyText(reason)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function PeerDeviation({ entry }: { entry: RulEntry }) {
  const { t } = useTranslation();
  const { peer_deviation: deviation, peer_deviation_of: of } = entry;
  const quantity = of === null ? "–" : isPeerQuantity(of) ? t(`rul.peerQuantity.${of}`) : of;
  return (
    <p>
      <span className="text-muted">{t("rul.peer")}:</span>{" "}
      {deviation === null ? t("rul.peerUnknown") : t("rul.peerText", { sd: deviation.toFixed(1), quantity })}
    </p>
  );
}
