import "@/i18n/alarm-load-texts";

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router-dom";

import type { IncidentFigures } from "@/api/types";
import { useTitle } from "@/components/breadcrumb";
import { Card } from "@/components/ui/card";
import { Choice } from "@/components/ui/choice";
import { ErrorState, RefreshFailed, Skeleton } from "@/components/ui/states";

import { Handling } from "./handling";
import { Chattering, MostFrequent, Standing } from "./lists";
import { figureQueries } from "./queries";

const spans = [1, 7, 30] as const;
const MOST_OPERATORS = 20;

/** What the alerts ask of the people who watch them: whether rules help or only ring. */
export function AlarmLoadPage() {
  const { t } = useTranslation();
  useTitle(t("load.title"));
  const [params, setParams] = useSearchParams();
  const days = spans.find((span) => String(span) === params.get("days")) ?? 7;
  const operators = Math.min(MOST_OPERATORS, Math.max(1, Math.round(Number(params.get("operators") ?? 1)) || 1));
  const figures = useQuery(figureQueries.of(days, operators));
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    next.set(name, value);
    setParams(next, { replace: true });
  };
  return (
    <>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1>{t("load.title")}</h1>
        <Link to="/incidents" className="ml-auto text-accent underline">
          {t("load.back")}
        </Link>
      </div>
      <p className="mb-3 text-muted">{t("load.about")}</p>
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Choice
          label={t("load.span")}
          value={String(days)}
          onChange={(value) => change("days", value)}
          options={spans.map((span) => [String(span), t("load.days", { count: span })])}
        />
        <label className="flex items-center gap-1.5 text-muted">
          {t("load.operators")}
          <input
            type="number"
            min={1}
            max={MOST_OPERATORS}
            value={operators}
            onChange={(event) => change("operators", event.target.value)}
            className="min-h-8 w-16 rounded-lg border border-border-strong bg-surface px-2 text-text"
          />
        </label>
      </div>
      {figures.isLoadingError && <ErrorState error={figures.error} onRetry={() => void figures.refetch()} />}
      <RefreshFailed query={figures} />
      {figures.isPending && <Skeleton height={300} />}
      {figures.data && <Figures figures={figures.data} />}
    </>
  );
}

function Figures({ figures }: { figures: IncidentFigures }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      <Card title={t("load.rate")}>
        <p className="font-medium" data-testid="rate">
          {t("load.mean", { value: figures.mean_per_10min.toFixed(2), band: t(`load.band.${figures.load}`) })}
        </p>
        <p className="text-muted">
          {t("load.peak", { value: figures.peak_per_10min.toFixed(1), flood: figures.flood_pct.toFixed(1) })}
        </p>
      </Card>
      <Card title={t("load.grouping")}>
        <p data-testid="grouping">
          {figures.grouped_pct === null
            ? t("load.notGrouped", { incidents: figures.incident_count })
            : t("load.grouped", {
                alerts: figures.alert_count,
                incidents: figures.incident_count,
                saved: Math.max(0, figures.grouped_pct).toFixed(0),
              })}
        </p>
      </Card>
      <Card title={t("load.handling")}>
        <Handling handling={figures.handling} />
      </Card>
      <Card title={t("load.frequent")}>
        <MostFrequent conditions={figures.most_frequent} />
      </Card>
      <Card title={t("load.standing")}>
        <Standing incidents={figures.standing} count={figures.standing_count} />
      </Card>
      <Card title={t("load.chattering")}>
        <Chattering alerts={figures.chattering} />
      </Card>
    </div>
  );
}
