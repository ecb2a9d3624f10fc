import { useTranslation } from "react-i18next";

import type { AlertType } from "@/api/types";
import { alertTypes } from "@/i18n";

interface TypeFieldsProps {
  types: readonly AlertType[];
  onChange: (types: AlertType[]) => void;
}

/** The types that a silence covers; none chosen means all. */
export function TypeFields({ types, onChange }: TypeFieldsProps) {
  const { t } = useTranslation();
  const toggle = (type: AlertType) =>
    onChange(types.includes(type) ? types.filter((one) => one !== type) : [...types, type]);
  return (
    <fieldset>
      <legend>{t("silences.form.types")}</legend>
      <div className="mt-1 grid max-h-40 gap-x-4 overflow-auto rounded-lg border border-border p-2 sm:grid-cols-2">
        {alertTypes.map((type) => (
          <label key={type} className="flex min-h-7 items-center gap-2">
            <input type="checkbox" className="size-4" checked={types.includes(type)} onChange={() => toggle(type)} />
            {t(`type.${type}`)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
