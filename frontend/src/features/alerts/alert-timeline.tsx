import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { AlertDetail } from "@/api/types";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

function eventText({ kind, data }: AlertDetail["timeline"][number], t: TFunction): string {
  return kind === "reopened" && "resolved_at" in data ? t("alerts.outlasted") : t(`alerts.event.${kind}`);
}

/** Why an alert ended: its battery was replaced or retired. */
function endText(data: Record<string, unknown>, t: TFunction): string {
  if (data.reason !== "replaced") return t("retirement.outOfService");
  const { old_serial_number: old, new_serial_number: fresh } = data;
  return typeof old === "string" && typeof fresh === "string"
    ? t("retirement.replacedBy", { old, new: fresh })
    : t("retirement.replaced");
}

/** What happened to the alert, who did it and what was written. */
export function Timeline({ alert }: { alert: AlertDetail }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <>
      <h3 className="mb-1 font-semibold">{t("alerts.timeline")}</h3>
      <ol className="border-l-2 border-border pl-4">
        {alert.timeline.map((entry) => (
          <li
            key={entry.event_id}
            className="relative mb-2 before:absolute before:top-1.5 before:-left-[21px] before:size-2 before:rounded-full before:bg-border-strong"
          >
            <span className="font-medium">{eventText(entry, t)}</span>{" "}
            {entry.actor !== null && <span className="text-muted">{t("alerts.by", { who: entry.actor })}</span>}
            <div className="text-xs text-muted">{formatDateTime(entry.at, language)}</div>
            {entry.kind === "ended" && <p className="mt-0.5">{endText(entry.data, t)}</p>}
            {entry.note !== null && entry.note !== "" && <p className="mt-0.5 whitespace-pre-wrap">{entry.note}</p>}
          </li>
        ))}
      </ol>
    </>
  );
}
