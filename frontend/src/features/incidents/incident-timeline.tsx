import { useTranslation } from "react-i18next";

import type { IncidentEntry } from "@/api/types";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { actorOf, entryText } from "./entry-text";

/** What happened to the incident, who did it and what was written. */
export function IncidentTimeline({ entries }: { entries: readonly IncidentEntry[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return (
    <section className="mb-3">
      <h3 className="mb-1 font-semibold">{t("incidents.timeline")}</h3>
      <ol className="border-l-2 border-border pl-4">
        {entries.map((entry) => {
          const who = actorOf(entry);
          return (
            <li
              key={entry.event_id}
              className="relative mb-2 before:absolute before:top-1.5 before:-left-[21px] before:size-2 before:rounded-full before:bg-border-strong"
            >
              <span className="font-medium">{entryText(entry, { t, language })}</span>{" "}
              {who !== null && <span className="text-muted">{t("incidents.entry.by", { who })}</span>}
              <div className="text-xs text-muted">{formatDateTime(entry.at, language)}</div>
              {entry.note !== null && entry.note !== "" && (
                <p className="mt-0.5 whitespace-pre-wrap [overflow-wrap:anywhere]">{entry.note}</p>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
