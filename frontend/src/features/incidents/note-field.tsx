import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { incidentQueries } from "@/api/incident-queries";
import { useLanguage } from "@/i18n";

const LONGEST_NOTE = 2000;

interface NoteFieldProps {
  value: string;
  onChange: (note: string) => void;
}

/** A note, with what is written most to be inserted behind what stands there. */
export function NoteField({ value, onChange }: NoteFieldProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const templates = useQuery(incidentQueries.noteTemplates());
  const insert = (text: string) => onChange([value.trimEnd(), text].filter(Boolean).join(" ").slice(0, LONGEST_NOTE));
  return (
    <>
      <label className="block font-medium">
        {t("incidents.note")}
        <textarea
          value={value}
          onChange={(event) => onChange(event.target.value)}
          placeholder={t("incidents.noteHint")}
          rows={3}
          maxLength={LONGEST_NOTE}
          className="mt-1 w-full rounded-lg border border-border-strong bg-bg p-2"
        />
      </label>
      {templates.isError && <p className="text-warning-text">{t("incidents.templatesFailed")}</p>}
      {templates.data && (
        <div role="group" aria-label={t("incidents.templates")} className="mt-1 flex flex-wrap gap-1">
          {templates.data.items.map((template) => (
            <button
              key={template.template_id}
              type="button"
              className="rounded-lg border border-border px-2 py-1 text-left hover:bg-surface-2"
              onClick={() => insert(template[language])}
            >
              {template[language]}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
