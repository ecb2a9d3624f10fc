import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router-dom";

import { useMay } from "@/api/session";
import { useTitle } from "@/components/breadcrumb";
import { EmptyState, ErrorState, RefreshFailed, Skeleton } from "@/components/ui/states";

import { rulesQueries } from "./queries";
import { RuleFilters } from "./rule-filters";
import { RuleList } from "./rule-list";
import { ScopePicker } from "./scope-picker";
import { addressOf, scopeOf } from "./scopes";

/** Every rule of the alerts, where its values come from, and the values that are set for a part of the fleet. */
export function RulesPage() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const list = useQuery(rulesQueries.list());
  const mayAct = useMay("engineer");
  useTitle(t("rules.title"));
  const rules = list.data?.items ?? [];
  const scope = scopeOf(params.get("scope"));
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setParams(next, { replace: name === "q" });
  };
  return (
    <>
      <div className="mb-3 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1>{t("rules.title")}</h1>
        <span className="text-muted">{t("rules.intro")}</span>
        {!mayAct && <span className="text-muted">{t("rules.viewer")}</span>}
      </div>
      {list.isLoadingError && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
      <RefreshFailed query={list} />
      {list.isPending && <Skeleton height={400} />}
      {list.isSuccess && rules.length === 0 && <EmptyState title={t("rules.none")} />}
      {rules.length > 0 && (
        <>
          <ScopePicker scope={scope} onChange={(next) => change("scope", next === null ? "" : addressOf(next))} />
          <RuleFilters params={params} rules={rules} onChange={change} />
          <RuleList rules={rules} scope={scope} params={params} onReset={() => setParams({})} />
        </>
      )}
    </>
  );
}
