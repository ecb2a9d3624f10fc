import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { problemOf } from "@/api/errors";
import type { BatteryDetail } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/states";
import { problemText } from "@/i18n";
import { shortId } from "@/lib/ids";

import { batteryQueries, type Runtime } from "./queries";

const MAX_LOAD_KW = 4000;

/** Runtime of the string from now, at its present load or at a simulated one. */
export function RuntimeCard({ battery }: { battery: BatteryDetail }) {
  const { t } = useTranslation();
  const field = useId();
  const [typed, setTyped] = useState("");
  const [powerKw, setPowerKw] = useState<number | null>(null);
  const runtime = useQuery(batteryQueries.runtime(battery.string_id, powerKw));
  const load = Number(typed);
  const isLoad = typed.trim() !== "" && Number.isFinite(load) && load > 0 && load <= MAX_LOAD_KW;
  return (
    <Card title={t("twin.runtime", { string: shortId(battery.string_id) })}>
      {runtime.isPending && <Skeleton height={70} />}
      {runtime.isError && <RuntimeProblem error={runtime.error} onRetry={() => void runtime.refetch()} />}
      {runtime.data && <RuntimeEstimate runtime={runtime.data} ownId={battery.battery_id} />}
      <form
        className="mt-3 flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          setPowerKw(isLoad ? load : null);
        }}
      >
        <label htmlFor={field}>{t("twin.whatIf")}</label>
        <input
          id={field}
          type="number"
          inputMode="decimal"
          min={0.1}
          max={MAX_LOAD_KW}
          step="any"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            if (event.target.value === "") setPowerKw(null);
          }}
          className="w-24 rounded-md border border-border-strong bg-surface px-2 py-1"
        />
        <span>kW</span>
        <Button type="submit" disabled={!isLoad}>
          {t("twin.simulate")}
        </Button>
      </form>
    </Card>
  );
}

/** Asking again helps unless the request itself was refused. */
function RuntimeProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  const problem = problemOf(error);
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <p className="text-muted">{problemText(problem)}</p>
      {(problem.status === null || problem.status >= 500) && <Button onClick={onRetry}>{t("common.retry")}</Button>}
    </div>
  );
}

function RuntimeEstimate({ runtime, ownId }: { runtime: Runtime; ownId: string }) {
  const { t } = useTranslation();
  const { simulation, load } = runtime;
  const minutes = (seconds: number) => Math.round(seconds / 60).toString();
  const amount =
    load.power_w !== null ? `${(load.power_w / 1000).toFixed(1)} kW` : `${Math.abs(load.current_a ?? 0).toFixed(1)} A`;
  const limiting = simulation.limiting_battery_id;
  return (
    <div data-testid="runtime">
      <p className="text-xl font-semibold">
        {t(simulation.reaches_cut_off ? "twin.minutes" : "twin.atLeast", {
          minutes: minutes(simulation.runtime_p50_s),
        })}
      </p>
      <p className="text-xs text-muted">
        {t("twin.range", { low: minutes(simulation.runtime_p10_s), high: minutes(simulation.runtime_p90_s) })} ·{" "}
        {t(`twin.basis.${load.basis}`, { load: amount })}
      </p>
      {simulation.reaches_cut_off && (
        <p className="mt-1">
          {limiting === ownId ? (
            <span className="text-warning-text">{t("twin.limitedByThis")}</span>
          ) : (
            <>
              {t("twin.limitedBy")}{" "}
              <Link to={`/batteries/${limiting}`} className="text-accent hover:underline">
                {shortId(limiting)}
              </Link>
            </>
          )}
        </p>
      )}
      {runtime.withheld_count > 0 && <UnknownBatteries runtime={runtime} />}
    </div>
  );
}

/** A runtime that rests on assumptions names them, beside its figure. */
function UnknownBatteries({ runtime }: { runtime: Runtime }) {
  const { t } = useTranslation();
  return (
    <>
      <p className="mt-1 flex items-start gap-1 text-xs text-warning-text">
        <TriangleAlert aria-hidden size={14} className="mt-px shrink-0" />
        {t("twin.assumed", { count: runtime.withheld_count, of: runtime.block_count })}
      </p>
      <ul aria-label={t("twin.assumedWhich")} className="max-h-24 overflow-auto text-xs text-muted">
        {runtime.unknown_batteries.map(({ battery_id: id, reason }) => (
          <li key={id}>
            <Link to={`/batteries/${id}`} className="text-accent hover:underline">
              {shortId(id)}
            </Link>
            : {t(`reason.${reason}`)}
          </li>
        ))}
      </ul>
    </>
  );
}
