import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { Fragment, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router-dom";

import { fleetQueries } from "@/api/queries";
import type { LocationDetail, StringOut, SystemOut } from "@/api/types";
import { Age } from "@/components/age";
import type { FillBy } from "@/components/heat-fill";
import { RetiredLabel } from "@/components/retirement/retired-label";
import { RetirementButton } from "@/components/retirement/retirement-button";
import { RuntimeLine } from "@/components/runtime-line";
import { byPosition, shortId } from "@/lib/ids";
import { isOnBattery, isSystemOnBattery } from "@/lib/runtime";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { formatQuantity } from "@/lib/units";
import { useLiveLookup, useNow } from "@/realtime/hooks";

import { BatteryCell } from "./battery-cell";
import { batteryByKey } from "./grid-keys";
import { rulOf } from "./rows";
import { SelectedBattery } from "./selected-battery";

interface StringMapProps {
  location: LocationDetail;
  fillBy: FillBy;
  showsRetired: boolean;
}

/** Strings as rows of batteries: one row per string, one focusable cell per battery. */
export function StringMap({ location, fillBy, showsRetired }: StringMapProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [selected, setSelected] = useState<string | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const strings = location.systems.flatMap((system) => system.strings);
  const rows = strings.map(({ battery_ids: inService, retired_battery_ids: retiredIds }) =>
    byPosition(showsRetired ? [...inService, ...retiredIds] : inService),
  );
  const retired = new Set(strings.flatMap((string) => string.retired_battery_ids));
  const shown = rows.flat().filter((id) => id !== null);
  // A battery that left the map cannot hold the only way into it.
  const tabStop = selected !== null && shown.includes(selected) ? selected : shown[0];
  // The first string of each system stands under the heading of its system.
  const headed = new Map(
    location.systems.map((system) => [system.strings[0]?.string_id, <SystemHead key="system" system={system} />]),
  );
  const find = useLiveLookup();
  const now = useNow(5000);
  const batteries = useQuery(fleetQueries.batteriesOf(location.location_id));
  const notJudged = useMemo(
    () => new Map(batteries.data?.items.map((battery) => [battery.battery_id, battery.not_judged])),
    [batteries.data],
  );

  const rul = useMemo(
    () => new Map(batteries.data?.items.map((battery) => [battery.battery_id, rulOf(battery, now)])),
    [batteries.data, now],
  );

  function onKey(event: KeyboardEvent, batteryId: string): void {
    const next = batteryByKey(rows, batteryId, event.key);
    if (next === null) return;
    event.preventDefault();
    setSelected(next);
    grid.current?.querySelector<HTMLButtonElement>(`[data-battery="${next}"]`)?.focus();
  }

  return (
    <div className="grid gap-3 xl:grid-cols-[1fr_18rem]">
      <div
        ref={grid}
        className="min-w-0 space-y-2 rounded-lg border border-border bg-surface p-3"
        aria-label={t("location.mapHelp")}
        role="group"
      >
        {strings.map((string, row) => (
          <Fragment key={string.string_id}>
            {headed.get(string.string_id)}
            <div
              role="group"
              aria-label={shortId(string.string_id)}
              className="grid items-center gap-x-3 gap-y-1 md:grid-cols-[13rem_1fr]"
            >
              <StringHead string={string} />
              <div className="@container">
                <div className="grid grid-cols-12 gap-0.5 @min-[39rem]:grid-cols-24">
                  {rows[row]?.map((batteryId, index) =>
                    batteryId === null ? (
                      <span key={index} />
                    ) : (
                      <BatteryCell
                        key={batteryId}
                        batteryId={batteryId}
                        value={find(batteryId)}
                        fillBy={fillBy}
                        now={now}
                        isRetired={retired.has(batteryId)}
                        isSelected={selected === batteryId}
                        isTabStop={tabStop === batteryId}
                        rulP10Days={rul.get(batteryId)?.p10 ?? null}
                        notJudgedCount={notJudged.get(batteryId)?.length ?? 0}
                        onSelect={() => setSelected(batteryId)}
                        onKeyDown={(event) => onKey(event, batteryId)}
                        onOpen={() => navigate(`/batteries/${batteryId}`)}
                      />
                    ),
                  )}
                </div>
              </div>
            </div>
          </Fragment>
        ))}
      </div>
      <SelectedBattery
        batteryId={selected}
        isRetired={selected !== null && retired.has(selected)}
        rul={selected === null ? undefined : rul.get(selected)}
        notJudged={selected === null ? [] : (notJudged.get(selected) ?? [])}
      />
    </div>
  );
}

function SystemHead({ system }: { system: SystemOut }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 border-b border-border pt-1 pb-0.5">
      <span className="font-semibold">{shortId(system.system_id)}</span>
      <RuntimeLine runtime={system.runtime} onBattery={isSystemOnBattery(system)} />
    </div>
  );
}

function StringHead({ string }: { string: StringOut }) {
  const { t } = useTranslation();
  const { state, string_id: id } = string;
  if (string.retired_at !== null) {
    return (
      <div className="min-w-0">
        <span className="block truncate font-medium">{shortId(id)}</span>
        <span className="flex flex-wrap items-center gap-1">
          <RetiredLabel at={string.retired_at} />
          <RetirementButton
            action="unretire"
            kind="string"
            id={id}
            batteryCount={string.retired_battery_ids.length}
            isOneOfMany
          />
        </span>
      </div>
    );
  }
  const discharging = state.mode === "discharge";
  return (
    <div className={clsx("min-w-0", state.is_stale && "opacity-60")}>
      <div className="flex items-center justify-between gap-2">
        <span className="truncate font-medium">{shortId(id)}</span>
        <span className="flex items-center gap-1">
          <Age at={state.time} staleAfterS={DEFAULT_STALE_AFTER_S} />
          {string.battery_count > 0 && (
            <RetirementButton action="retire" kind="string" id={id} batteryCount={string.battery_count} isOneOfMany />
          )}
        </span>
      </div>
      <div className={clsx("text-xs", discharging ? "font-semibold text-critical-text" : "text-muted")}>
        {state.mode === null ? t("mode.unknown") : t(`mode.${state.mode}`)} ·{" "}
        {formatQuantity(state.voltage_v, "string_voltage_v")} ·{" "}
        {state.mode === "float"
          ? formatQuantity(state.float_current_ma, "float_current_ma")
          : formatQuantity(state.current_a, "current_a")}
      </div>
      <RuntimeLine runtime={state.runtime} onBattery={isOnBattery(state.mode)} />
    </div>
  );
}
