import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Choice } from "@/components/ui/choice";

import { type Snooze, snoozeEnd, snoozes } from "./snooze-times";

/** Choose when the incident comes back; the instant is fixed when it is chosen, so that sending again says the same. */
export function SnoozeField({ onChange }: { onChange: (until: string | null) => void }) {
  const { t } = useTranslation();
  const [snooze, setSnooze] = useState<Snooze>("1h");
  const [other, setOther] = useState("");
  const choose = (next: Snooze, text: string) => {
    setSnooze(next);
    setOther(text);
    onChange(snoozeEnd(next, text, Date.now()));
  };
  const isOther = snooze === "other";
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <Choice
        label={t("incidents.until")}
        value={snooze}
        onChange={(value) => choose(snoozes.find((one) => one === value) ?? "1h", other)}
        options={snoozes.map((one) => [one, t(`incidents.snooze.${one}`)])}
      />
      {isOther && (
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
