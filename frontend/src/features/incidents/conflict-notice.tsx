import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { Incident } from "@/api/types";
import { useLanguage } from "@/i18n";

import type { Conflict } from "./commands";
import { changesText } from "./conflict-text";

interface ConflictNoticeProps {
  conflicts: readonly Conflict[];
  /** The incidents as the user saw them. */
  seen: readonly Incident[];
  keepsNote: boolean;
}

/** What happened meanwhile to incidents that a command therefore left as they are. */
export function ConflictNotice({ conflicts, seen, keepsNote }: ConflictNoticeProps) {
  const { t } = useTranslation();
  const words = { t, language: useLanguage() };
  const isOne = seen.length === 1;
  return (
    <div role="alert" className="mt-3 max-h-48 overflow-auto rounded-lg border border-warning-fill p-2">
      <p className="font-medium text-warning-text">
        {isOne ? t("incidents.conflict.title") : t("incidents.conflict.some", { count: conflicts.length })}
      </p>
      <ul>
        {conflicts.map((conflict) => (
          <li key={conflict.incidentId}>
            {!isOne && <>{t("incidents.conflict.incident", { id: conflict.incidentId })} </>}
            {changesText(
              seen.find(({ incident_id: id }) => id === conflict.incidentId),
              conflict,
              words,
            ).join(" ")}{" "}
            {typeof conflict.state?.merged_into === "number" && (
              <Link className="text-accent underline" to={`/incidents/${conflict.state.merged_into}`}>
                {t("incidents.openOther", { id: conflict.state.merged_into })}
              </Link>
            )}
          </li>
        ))}
      </ul>
      {keepsNote && <p className="text-muted">{t("incidents.conflict.keep")}</p>}
    </div>
  );
}
