import { useQuery } from "@tanstack/react-query";
import { Hourglass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { predictionQueries } from "@/api/queries";
import { useSpanText } from "@/components/remaining-life/span-text";

/** The shortest P10 of a location and of how many batteries nothing is known; leads to the predictions. */
export function ShortestLife({ locationId }: { locationId: string }) {
  const { t } = useTranslation();
  const spanText = useSpanText();
  const summary = useQuery(predictionQueries.summary());
  if (summary.isLoadingError) return <span className="text-warning-text">{t("rul.summaryFailed")}</span>;
  const figures = summary.data?.locations.find((location) => location.location_id === locationId);
  if (figures === undefined) return null;
  const { shortest_p10_days: shortest, due_within_90_days: due, withheld } = figures;
  return (
    <Link
      to={`/remaining-life?location_id=${locationId}`}
      className="inline-flex flex-wrap items-center gap-x-1 text-muted hover:underline"
    >
      <Hourglass aria-hidden size={14} className="shrink-0" />
      {t("rul.shortest", { span: shortest === null ? t("rul.unknown") : spanText(shortest) })}
      {due > 0 && <strong className="text-warning-text">· {t("rul.due", { count: due })}</strong>}
      {withheld > 0 && <span>· {t("rul.unpredicted", { count: withheld })}</span>}
    </Link>
  );
}
