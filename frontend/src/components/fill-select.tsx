import { useTranslation } from "react-i18next";

import type { FillBy } from "./heat-fill";

interface FillSelectProps<F extends FillBy> {
  value: F;
  choices: readonly F[];
  onChange: (fillBy: F) => void;
}

/** What the cells of a heat map are coloured by. */
export function FillSelect<F extends FillBy>({ value, choices, onChange }: FillSelectProps<F>) {
  const { t } = useTranslation();
  return (
    <label className="flex items-center gap-2 text-muted">
      {t("fleet.fill")}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value as F)}
        className="min-h-8 rounded-lg border border-border-strong bg-surface px-2 text-text"
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {t(`fillBy.${choice}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
