import { useTranslation } from "react-i18next";

interface ShowRetiredProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** Adds what is retired to a list or map. */
export function ShowRetired({ checked, onChange }: ShowRetiredProps) {
  const { t } = useTranslation();
  return (
    <label className="flex min-h-8 items-center gap-1.5">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        className="size-4"
      />
      {t("retirement.show")}
    </label>
  );
}
