import clsx from "clsx";
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router-dom";

import type { LocationDetail, StringOut } from "@/api/types";
import { Age } from "@/components/age";
import { type FillBy, fillOf } from "@/components/heat-fill";
import { StatusLabel } from "@/components/status";
import { Card } from "@/components/ui/card";
import { batteryIdsOf, shortId } from "@/lib/ids";
import { formatQuantity } from "@/lib/units";
import { liveStore } from "@/realtime/connection";
import { useLiveVersion, useNow } from "@/realtime/hooks";
import { statusNow } from "@/realtime/live-store";

/** Strings as bars of blocks: a row a string, a focusable cell a battery. */
export function StringMap({ location, fillBy }: { location: LocationDetail; fillBy: FillBy }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [selected, setSelected] = useState<string | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const strings = location.systems.flatMap((system) => system.strings);
  const rows = strings.map((string) => batteryIdsOf(string.string_id, string.battery_count));
  useLiveVersion();
  const now = useNow(5000);

  function onKey(event: KeyboardEvent, row: number, column: number): void {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = rows[row + (step[0] ?? 0)]?.[column + (step[1] ?? 0)];
    if (next === undefined) return;
    setSelected(next);
    grid.current?.querySelector<HTMLButtonElement>(`[data-battery="${next}"]`)?.focus();
  }

  return (
    <div className="grid gap-3 xl:grid-cols-[1fr_18rem]">
      <div ref={grid} className="min-w-0 overflow-x-auto rounded-lg border border-border bg-surface p-3">
        <p className="sr-only">{t("location.mapHelp")}</p>
        <table className="border-separate border-spacing-y-1">
          <tbody>
            {strings.map((string, row) => (
              <tr key={string.string_id}>
                <th scope="row" className="sticky left-0 bg-surface pr-3 text-left align-middle font-normal">
                  <StringHead string={string} />
                </th>
                {rows[row]?.map((batteryId, column) => {
                  const value = liveStore.get(batteryId);
                  const status = statusNow(value, now);
                  const fill = fillOf(value, status, fillBy, now);
                  const isTabStop = selected === null ? row === 0 && column === 0 : selected === batteryId;
                  return (
                    <td key={batteryId} className="px-px">
                      <button
                        type="button"
                        data-battery={batteryId}
                        tabIndex={isTabStop ? 0 : -1}
                        aria-label={`${shortId(batteryId)}: ${t(`status.${status}`)}, ${formatQuantity(value?.voltage_v, "voltage_v")}`}
                        onFocus={() => setSelected(batteryId)}
                        onMouseEnter={() => setSelected(batteryId)}
                        onKeyDown={(event) => onKey(event, row, column)}
                        onClick={() => navigate(`/batteries/${batteryId}`)}
                        className={clsx(
                          "grid size-6 place-items-center rounded-sm text-[10px] leading-none font-bold",
                          fill === null && "hatched border border-border-strong",
                          selected === batteryId && "ring-2 ring-accent",
                        )}
                        style={
                          fill === null
                            ? undefined
                            : {
                                background: fill.startsWith("--") ? `var(${fill})` : fill,
                                color: `var(--on-${status === "critical" ? "critical" : "warning"})`,
                              }
                        }
                      >
                        {status === "critical" ? "✕" : status === "warning" ? "▲" : ""}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <SelectedBattery batteryId={selected} />
    </div>
  );
}

function StringHead({ string }: { string: StringOut }) {
  const { t } = useTranslation();
  const { state } = string;
  return (
    <div className="w-44 py-0.5">
      <div className="font-medium">{shortId(string.string_id)}</div>
      <div className={clsx("text-xs", state.mode === "discharge" ? "font-semibold text-critical-text" : "text-muted")}>
        {state.mode === null ? t("mode.unknown") : t(`mode.${state.mode}`)} ·{" "}
        {formatQuantity(state.voltage_v, "voltage_v")} ·{" "}
        {state.mode === "float"
          ? formatQuantity(state.float_current_ma, "float_current_ma")
          : formatQuantity(state.current_a, "current_a")}
      </div>
      <Age at={state.time} staleAfterMs={300_000} />
    </div>
  );
}

function SelectedBattery({ batteryId }: { batteryId: string | null }) {
  const { t } = useTranslation();
  const now = useNow(5000);
  const value = batteryId === null ? undefined : liveStore.get(batteryId);
  return (
    <Card title={t("location.selected")} className="self-start">
      {batteryId === null ? (
        <p className="text-muted">{t("location.mapHelp")}</p>
      ) : (
        <>
          <p className="font-medium break-all">{shortId(batteryId)}</p>
          <p className="my-1">
            <StatusLabel status={statusNow(value, now)} />
          </p>
          <dl className="grid grid-cols-2 gap-y-1">
            {(["voltage_v", "temperature_c", "internal_resistance_mohm", "resistance_drift_pct"] as const).map(
              (name) => (
                <div key={name} className="contents">
                  <dt className="text-muted">{t(labels[name])}</dt>
                  <dd>{formatQuantity(value?.[name], name)}</dd>
                </div>
              ),
            )}
          </dl>
          <p className="mt-1">
            <Age at={value?.time} staleAfterMs={value?.staleAfterMs ?? 300_000} />
          </p>
          <Link to={`/batteries/${batteryId}`} className="mt-2 inline-block text-accent underline">
            {t("location.open")}
          </Link>
        </>
      )}
    </Card>
  );
}

const labels = {
  voltage_v: "location.voltage",
  temperature_c: "location.temperature",
  internal_resistance_mohm: "location.resistance",
  resistance_drift_pct: "location.drift",
} as const;
