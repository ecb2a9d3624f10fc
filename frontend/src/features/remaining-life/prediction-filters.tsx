import { useTranslation } from "react-i18next";

import { LocationChoice } from "@/components/location-choice";
import { Choice } from "@/components/ui/choice";

import { dueChoices, sourceChoices } from "./filters";

interface PredictionFiltersProps {
  params: URLSearchParams;
  onChange: (name: string, value: string) => void;
}

export function PredictionFilters({ params, onChange }: PredictionFiltersProps) {
  const { t } = useTranslation();
  const any: [string, string] = ["", t("alerts.any")];
  const valueOf = (name: string) => params.get(name) ?? "";
  return (
    <div className="mb-2 flex flex-wrap gap-2">
      <LocationChoice value={valueOf("location_id")} onChange={(value) => onChange("location_id", value)} />
      <Choice
        label={t("predictions.source")}
        value={valueOf("source")}
        onChange={(value) => onChange("source", value)}
        options={[
          any,
          ...sourceChoices.map((source): [string, string] => [source, t(`predictions.sourceChoice.${source}`)]),
        ]}
      />
      <Choice
        label={t("rul.conflictMark")}
        value={valueOf("conflict")}
        onChange={(value) => onChange("conflict", value)}
        options={[any, ["true", t("predictions.conflictOnly")], ["false", t("predictions.noConflict")]]}
      />
      <Choice
        label={t("predictions.dueFilter")}
        value={valueOf("due")}
        onChange={(value) => onChange("due", value)}
        options={[any, ...dueChoices.map((days): [string, string] => [String(days), t(`predictions.due${days}`)])]}
      />
    </div>
  );
}
