import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Choice } from "@/components/ui/choice";
import { DAY_MS, type EndChoice, endChoices, endInstant } from "@/lib/end-choices";

/** The gateway takes no longer one. */
export const LONGEST_SNOOZE_MS = 7 * DAY_MS;

/** Choose when the incident comes back; the instant is fixed when it is chosen, so that sending again says the same. */
export function SnoozeField({ onChange }: { onChange: (until: string | null) => void }) {
  const { t } = useTranslation();
  const [choice, setChoice] = useState<EndChoice>("1h");
  const [other, setOther] = useState("");
  const choose = (next: EndChoice, text: string) => {
    setChoice(next);
    setOther(text);
    onChange(endInstant(next, text, Date.now(), LONGEST_SNOOZE_MS));
  };
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <Choice
        label={t("incidents.until")}
        value={choice}
        onChange={(value) => choose(endChoices.find((one) => one === value) ?? "1h", other)}
        options={endChoices.map((one) => [one, t(`incidents.snooze.${one}`)])}
      />
      {choice === "other" && (
        <label className="block">
          {t("incidents.snoozeAt")}
          <input
            type="datetime-local"
            className="mt-1 block min-h-8 rounded-lg border border-border-strong bg-bg px-2"
            value={other}
            onChange={(event) => choose("other", event.target.value)}
          />
          <span className="text-xs text-muted">{t("incidents.snoozeLimit")}</span>
        </label>
      )}
    </div>
  );
}
