import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { fleetQueries } from "@/api/queries";
import type { Location } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Choice } from "@/components/ui/choice";

/** Choose one location or any; says so when the list of them could not be loaded. */
export function LocationChoice({ value, onChange }: { value: string; onChange: (locationId: string) => void }) {
  const { t } = useTranslation();
  const locations = useQuery(fleetQueries.locations());
  return (
    <>
      <Choice
        label={t("alerts.location")}
        value={value}
        onChange={onChange}
        options={[["", t("alerts.any")], ...locationOptions(locations.data?.items ?? [], value)]}
      />
      {locations.isLoadingError && (
        <p role="alert" className="flex items-center gap-2 text-warning-text">
          {t("alerts.locationsFailed")}
          <Button onClick={() => void locations.refetch()}>{t("common.retry")}</Button>
        </p>
      )}
    </>
  );
}

/** The chosen location is always among them: a filter that is in force must not look like "any". */
function locationOptions(known: readonly Location[], chosenId: string): [string, string][] {
  const options = known.map((location): [string, string] => [location.location_id, location.name]);
  return chosenId === "" || options.some(([id]) => id === chosenId) ? options : [...options, [chosenId, chosenId]];
}
