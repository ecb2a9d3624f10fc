import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";

import { filterOf, sortOf } from "./filters";
import { PredictionFilters } from "./prediction-filters";
import { PredictionTable } from "./prediction-table";
import { remainingLifeQueries } from "./queries";

const PAGE = 50;
/** As many as the gateway gives at once. */
const MOST = 1000;

interface PredictionListProps {
  params: URLSearchParams;
  onChange: (params: URLSearchParams, options?: { replace: boolean }) => void;
}

/** The predictions of the fleet; filters and order are in the address. */
export function PredictionList({ params, onChange }: PredictionListProps) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState(PAGE);
  const list = useQuery(remainingLifeQueries.predictions(filterOf(params, limit)));
  const items = list.data?.items ?? [];
  const total = list.data?.total ?? 0;

  function change(name: string, value: string): void {
    const next = new URLSearchParams(params);
    if (value === "") next.delete(name);
    else next.set(name, value);
    onChange(next, { replace: true });
  }
  return (
    <Card className="mt-3" title={t("predictions.table")}>
      <PredictionFilters params={params} onChange={change} />
      <QueryFailure query={list} />
      {list.isPending && <Skeleton height={300} />}
      {list.data && (
        <p role="status" className="mb-1 text-muted">
          {t("common.results", { count: total })} · <WithheldNote isDueOnly={params.has("due")} />
        </p>
      )}
      {list.data && items.length === 0 && (
        <EmptyState
          title={t("predictions.empty")}
          action={
            <Button className="mt-2" onClick={() => onChange(new URLSearchParams())}>
              {t("alerts.reset")}
            </Button>
          }
        />
      )}
      {items.length > 0 && (
        <PredictionTable items={items} sort={sortOf(params)} onSort={(sort) => change("sort", sort)} />
      )}
      {total > items.length && items.length > 0 && limit < MOST && (
        <p className="mt-3 text-center">
          <Button onClick={() => setLimit(Math.min(limit + 200, MOST))}>
            {t("alerts.more")} ({items.length} / {total})
          </Button>
        </p>
      )}
    </Card>
  );
}

/** Where the batteries without a prediction are: a list without them must not read as complete. */
function WithheldNote({ isDueOnly }: { isDueOnly: boolean }) {
  const { t } = useTranslation();
  if (!isDueOnly) return <>{t("predictions.unsorted")}</>;
  return (
    <>
      {t("predictions.hidden")}{" "}
      <Link to="?source=none" className="text-accent hover:underline">
        {t("predictions.showWithheld")}
      </Link>
    </>
  );
}
