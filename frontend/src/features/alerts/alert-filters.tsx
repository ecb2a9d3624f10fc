import { useTranslation } from "react-i18next";

import { LocationChoice } from "@/components/location-choice";
import { Choice } from "@/components/ui/choice";
import { alertTypes } from "@/i18n";

import { severities, stateOf, states } from "./filters";

interface AlertFiltersProps {
  params: URLSearchParams;
  onChange: (params: URLSearchParams) => void;
}

export function AlertFilters({ params, onChange }: AlertFiltersProps) {
  const { t } = useTranslation();
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (value === "" || (name === "state" && value === "active")) next.delete(name);
    else next.set(name, value);
    onChange(next);
  };
  return (
    <div className="mb-3 flex flex-wrap gap-2">
      <Choice
        label={t("alerts.state")}
        value={stateOf(params)}
        onChange={(value) => change("state", value)}
        options={states.map((state) => [state, t(`alerts.${state}`)])}
      />
      <Choice
        label={t("alerts.severity")}
        value={params.get("severity") ?? ""}
        onChange={(value) => change("severity", value)}
        options={[
          ["", t("alerts.any")],
          ...severities.map((severity): [string, string] => [severity, t(`severity.${severity}`)]),
        ]}
      />
      <LocationChoice
        value={params.get("location_id") ?? ""}
        onChange={(locationId) => change("location_id", locationId)}
      />
      <Choice
        label={t("alerts.type")}
        value={params.get("type") ?? ""}
        onChange={(value) => change("type", value)}
        options={[["", t("alerts.any")], ...alertTypes.map((type): [string, string] => [type, t(`type.${type}`)])]}
      />
    </div>
  );
}
