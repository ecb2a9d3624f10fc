import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { QueryFailure } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { silenceQueries } from "./queries";

/** The discharges of a test, which its window keeps as evidence. */
export function Evidence({ windowId }: { windowId: number }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const detail = useQuery(silenceQueries.window(windowId));
  const discharges = detail.data?.discharges ?? [];
  return (
    <div className="mt-2">
      <p className="font-medium">{t("silences.discharges")}</p>
      <QueryFailure query={detail} />
      {detail.isSuccess && discharges.length === 0 && <p className="text-muted">{t("silences.noDischarge")}</p>}
      <ul>
        {discharges.map((one) => (
          <li key={one.discharge_id}>
            {t("silences.discharge", {
              string: one.string_id,
              depth: one.depth_pct.toFixed(1),
              from: formatDateTime(one.started_at, language),
              to: formatDateTime(one.ended_at, language),
            })}
            {one.is_open && ` · ${t("silences.running")}`}
            {!one.complete && ` · ${t("silences.incomplete")}`}
          </li>
        ))}
      </ul>
    </div>
  );
}
