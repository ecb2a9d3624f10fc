import { useTranslation } from "react-i18next";

import { Choice } from "@/components/ui/choice";
import { endChoices } from "@/lib/end-choices";

import type { Draft } from "./new-span";

interface SpanFieldsProps {
  draft: Draft;
  onChange: (values: Partial<Draft>) => void;
}

const field = "mt-1 block min-h-8 rounded-lg border border-border-strong bg-bg px-2";

/** When it starts and ends, in the time of Bangkok. */
export function SpanFields({ draft, onChange }: SpanFieldsProps) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap items-end gap-3">
      <label className="block">
        {t("silences.form.startAt")}
        <input
          type="datetime-local"
          className={field}
          value={draft.start}
          onChange={(event) => onChange({ start: event.target.value })}
        />
        <span className="text-xs text-muted">
          {draft.start === "" ? t("silences.form.now") : t("silences.form.later")}
        </span>
      </label>
      <div>
        <Choice
          label={t("silences.form.end")}
          value={draft.end}
          onChange={(value) => onChange({ end: endChoices.find((choice) => choice === value) ?? "4h" })}
          options={endChoices.map((choice) => [choice, t(`silences.form.choice.${choice}`)])}
        />
        <span className="text-xs text-muted">{t("silences.form.limit")}</span>
      </div>
      {draft.end === "other" && (
        <label className="block">
          {t("silences.form.endAt")}
          <input
            type="datetime-local"
            className={field}
            value={draft.endAt}
            onChange={(event) => onChange({ endAt: event.target.value })}
          />
        </label>
      )}
    </div>
  );
}
