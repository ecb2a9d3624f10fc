import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { fleetQueries } from "@/api/queries";
import type { Location } from "@/api/types";
import { Button } from "@/components/ui/button";
import { alertTypes } from "@/i18n";

import { severities, stateOf, states } from "./filters";

interface AlertFiltersProps {
  params: URLSearchParams;
  onChange: (params: URLSearchParams) => void;
}

export function AlertFilters({ params, onChange }: AlertFiltersProps) {
  const { t } = useTranslation();
  const locations = useQuery(fleetQueries.locations());
  const locationId = params.get("location_id") ?? "";
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
      <Choice
        label={t("alerts.location")}
        value={locationId}
        onChange={(value) => change("location_id", value)}
        options={[["", t("alerts.any")], ...locationOptions(locations.data?.items ?? [], locationId)]}
      />
      <Choice
        label={t("alerts.type")}
        value={params.get("type") ?? ""}
        onChange={(value) => change("type", value)}
        options={[["", t("alerts.any")], ...alertTypes.map((type): [string, string] => [type, t(`type.${type}`)])]}
      />
      {locations.isLoadingError && (
        <p role="alert" className="flex items-center gap-2 text-warning-text">
          {t("alerts.locationsFailed")}
          <Button onClick={() => void locations.refetch()}>{t("common.retry")}</Button>
        </p>
      )}
    </div>
  );
}

/** The chosen location is always among them: a filter that is in force must not look like "any". */
function locationOptions(known: readonly Location[], chosenId: string): [string, string][] {
  const options = known.map((location): [string, string] => [location.location_id, location.name]);
  return chosenId === "" || options.some(([id]) => id === chosenId) ? options : [...options, [chosenId, chosenId]];
}

function Choice({
  label,
  value,
  onChange,
  options,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: [string, string][];
}) {
  return (
    <label className="flex items-center gap-1.5 text-muted">
      {label}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="min-h-8 max-w-48 rounded-lg border border-border-strong bg-surface px-2 text-text"
      >
        {options.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
