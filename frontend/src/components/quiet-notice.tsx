import { useQuery } from "@tanstack/react-query";
import { BellOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { quietQueries } from "@/api/queries";
import { QueryFailure } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

interface QuietNoticeProps {
  locationId: string;
  /** Only what covers this string; all of the location where it is absent. */
  stringId?: string;
}

/** Says that alerts of a part of a location stay out of the inbox, so that its quiet is not taken for health. */
export function QuietNotice({ locationId, stringId }: QuietNoticeProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const silences = useQuery(quietQueries.silences(locationId));
  const windows = useQuery(quietQueries.windows(locationId));
  const spans = [
    ...(silences.data?.items ?? []).map((span) => ({ ...span, key: `s${span.silence_id}`, work: "silence" as const })),
    ...(windows.data?.items ?? []).map((span) => ({ ...span, key: `w${span.window_id}`, work: span.kind })),
  ].filter(({ scope, scope_id: id }) => stringId === undefined || covers(scope, id, stringId));
  return (
    <>
      <QueryFailure query={silences} />
      <QueryFailure query={windows} />
      {spans.map(({ key, work, scope_id: id, ends_at: end, created_by: who, reason }) => (
        <p
          key={key}
          role="note"
          data-testid="quiet-notice"
          className="mb-2 flex flex-wrap items-center gap-x-2 rounded-lg border border-warning-fill bg-surface px-3 py-1.5 [overflow-wrap:anywhere]"
        >
          <BellOff size={16} aria-hidden className="text-warning-text" />
          <span className="font-medium text-warning-text">{t(`quiet.${work}`, { id })}</span>
          <span>{t("quiet.until", { at: formatDateTime(end, language), who, reason })}</span>
          <Link to="/silences" className="ml-auto text-accent underline">
            {t("quiet.open")}
          </Link>
        </p>
      ))}
    </>
  );
}

/** Of a tag only the gateway knows its strings: it may cover this one. */
function covers(scope: string, id: string, stringId: string): boolean {
  return scope === "tag" || stringId === id || stringId.startsWith(`${id}-`);
}
