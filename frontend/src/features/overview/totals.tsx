import clsx from "clsx";
import { HardDrive } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import type { FleetOverview, PredictionSummary } from "@/api/types";
import { Age } from "@/components/age";
import { NotJudgedCount } from "@/components/not-judged";
import { useLanguage } from "@/i18n";
import { DEFAULT_STALE_AFTER_S } from "@/lib/staleness";
import { formatCount } from "@/lib/units";

interface TotalsProps {
  overview: FleetOverview;
  /** Undefined while they are read, null where they could not be. */
  predictions: PredictionSummary | null | undefined;
}

/** The state of the fleet in six figures. */
export function Totals({ overview, predictions }: TotalsProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const missing = (["twin", "ml", "simulator"] as const).filter((name) => overview.services[name] === "down");
  const { status_counts: counts, mean_soh_pct: soh } = overview;
  return (
    <>
      <DiskBanner disk={overview.disk} />
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
        <Total
          name={t("fleet.batteries")}
          value={formatCount(overview.battery_count, language)}
          testId="total-batteries"
        >
          {t("fleet.locations", { count: overview.location_count })},{" "}
          {t("fleet.strings", { count: overview.string_count })}
        </Total>
        <Total
          name={t("fleet.active")}
          value={formatCount(overview.active_alert_count, language)}
          tone={overview.active_alert_count > 0 ? "warning" : undefined}
          to="/alerts"
        >
          {t("fleet.pending", { count: overview.pending_alert_count })}
        </Total>
        <Total
          name={t("fleet.critical")}
          value={formatCount(counts.critical, language)}
          tone={counts.critical > 0 ? "critical" : undefined}
          to="/alerts?severity=critical"
        >
          {t("status.warning")} {formatCount(counts.warning, language)} · {t("status.normal")}{" "}
          {formatCount(counts.normal, language)}
        </Total>
        <Total
          name={t("fleet.noData")}
          value={formatCount(counts.no_data, language)}
          tone={counts.no_data > 0 ? "warning" : undefined}
        >
          {t("fleet.newest")}: <Age at={overview.newest_reading_at} staleAfterS={DEFAULT_STALE_AFTER_S} />
          <div>
            <NotJudgedCount count={overview.not_judged_count} />
          </div>
        </Total>
        <Total
          name={t("fleet.soh")}
          value={soh === null ? t("fleet.noEstimate") : `${Math.round(soh)} %`}
          small={soh === null}
        >
          {soh === null
            ? t(`reason.${overview.soh_reason ?? "no_estimate_yet"}`)
            : t("fleet.sohOf", { count: overview.soh_evidence_count, of: overview.battery_count })}
        </Total>
        <DueTotal predictions={predictions} />
      </dl>
      {missing.length > 0 && (
        <p className="mt-2 text-xs text-muted">
          {t("fleet.degraded", { names: missing.map((name) => t(`services.${name}`)).join(", ") })}
        </p>
      )}
    </>
  );
}

/** Without any prediction there is no count: zero would read as an all-clear. */
function DueTotal({ predictions }: Pick<TotalsProps, "predictions">) {
  const { t } = useTranslation();
  const language = useLanguage();
  if (predictions == null || predictions.predicted === 0) {
    const isFailed = predictions === null;
    return (
      <Total name={t("rul.dueWithin")} value={predictions === undefined ? "–" : t("rul.unknown")} small>
        {isFailed && t("rul.summaryFailed")}
        {predictions != null && t("rul.unpredicted", { count: predictions.withheld })}
      </Total>
    );
  }
  const { due_within_90_days: due, withheld } = predictions;
  return (
    <Total
      name={t("rul.dueWithin")}
      value={formatCount(due, language)}
      tone={due > 0 ? "warning" : undefined}
      to="/remaining-life?due=90"
    >
      {withheld > 0 && (
        <Link to="/remaining-life?source=none" className="hover:underline">
          {t("rul.unpredicted", { count: withheld })}
        </Link>
      )}
    </Total>
  );
}

/** Nothing new is stored while the disk is full, so everything on screen grows old; said long before. */
function DiskBanner({ disk }: { disk: FleetOverview["disk"] }) {
  const { t } = useTranslation();
  if (disk.state === "enough") return null;
  const isFull = disk.state === "full";
  const days = disk.days_left === null ? "" : ` ${t("disk.days", { days: disk.days_left.toFixed(1) })}`;
  return (
    <p
      role="alert"
      className={clsx(
        "mb-3 flex items-start gap-2 rounded-lg border p-3",
        isFull ? "border-critical-text text-critical-text" : "border-border-strong text-warning-text",
      )}
    >
      <HardDrive aria-hidden size={18} className="mt-0.5 shrink-0" />
      <span>
        {t(isFull ? "disk.full" : "disk.low", { free: disk.free_mb })}
        {!isFull && days}
      </span>
    </p>
  );
}

interface TotalProps {
  name: string;
  value: string;
  tone?: "warning" | "critical" | undefined;
  small?: boolean;
  to?: string;
  testId?: string;
  className?: string;
  children: React.ReactNode;
}

function Total({ name, value, tone, small = false, to, testId, className, children }: TotalProps) {
  const colour = tone === "critical" ? "text-critical-text" : tone === "warning" ? "text-warning-text" : "";
  const shown = <span className={`${small ? "text-base" : "text-2xl"} font-semibold ${colour}`}>{value}</span>;
  return (
    <div className={clsx("rounded-lg border border-border bg-surface px-3 py-2", className)} data-testid={testId}>
      <dt className="text-muted">{name}</dt>
      <dd>
        {to === undefined ? (
          shown
        ) : (
          <Link to={to} className="hover:underline">
            {shown}
          </Link>
        )}
        <div className="text-xs text-muted">{children}</div>
      </dd>
    </div>
  );
}
