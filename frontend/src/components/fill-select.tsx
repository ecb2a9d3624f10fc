import { useTranslation } from "react-i18next";

import { type FillBy, fillChoices } from "./heat-fill";

/** What the cells of a heat map are coloured by. */
export function FillSelect({ value, onChange }: { value: FillBy; onChange: (fillBy: FillBy) => void }) {
  const { t } = useTranslation();
  return (
    <label className="flex items-center gap-2 text-muted">
      {t("fleet.fill")}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value as FillBy)}
        className="min-h-8 rounded-lg border border-border-strong bg-surface px-2 text-text"
      >
        {fillChoices.map((choice) => (
          <option key={choice} value={choice}>
            {t(`fillBy.${choice}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
