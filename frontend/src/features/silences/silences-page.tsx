import "@/i18n/silence-texts";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router-dom";

import { useMay } from "@/api/session";
import { useTitle } from "@/components/breadcrumb";
import { Button } from "@/components/ui/button";
import { Choice } from "@/components/ui/choice";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";

import { NewSpanDialog } from "./new-span-dialog";
import { silenceQueries } from "./queries";
import { groupOf, groups, quietSpans, statesOf } from "./quiet-spans";
import { SpanCard } from "./span-card";

/** What is kept out of the inbox, by whom, why and until when, and what that hid. */
export function SilencesPage() {
  const { t } = useTranslation();
  useTitle(t("silences.title"));
  const mayAct = useMay("engineer");
  const [params, setParams] = useSearchParams();
  // A link from an incident brings what is to be silenced.
  const [creating, setCreating] = useState<"silence" | "window" | null>(params.has("scope_id") ? "silence" : null);
  const group = groupOf(params);
  const silences = useQuery(silenceQueries.list(statesOf[group]));
  const windows = useQuery(silenceQueries.windows(statesOf[group]));
  const spans = quietSpans(silences.data?.items ?? [], windows.data?.items ?? []);
  const isLoaded = silences.isSuccess && windows.isSuccess;
  return (
    <>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1>{t("silences.title")}</h1>
        <Link to="/incidents" className="ml-auto text-accent underline">
          {t("silences.back")}
        </Link>
      </div>
      <p className="mb-3 max-w-prose text-muted">{t("silences.about")}</p>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Choice
          label={t("silences.show")}
          value={group}
          onChange={(show) => setParams(show === "running" ? {} : { show })}
          options={groups.map((one) => [one, t(`silences.group.${one}`)])}
        />
        {mayAct ? (
          <>
            <Button tone="primary" onClick={() => setCreating("silence")}>
              {t("silences.newSilence")}
            </Button>
            <Button onClick={() => setCreating("window")}>{t("silences.newWindow")}</Button>
          </>
        ) : (
          <span className="text-muted">{t("silences.viewer")}</span>
        )}
      </div>
      <QueryFailure query={silences} />
      <QueryFailure query={windows} />
      {(silences.isPending || windows.isPending) && <Skeleton height={240} />}
      {isLoaded && spans.length === 0 && (
        <EmptyState
          title={t(group === "ended" ? "silences.noneEnded" : "silences.none")}
          {...(group === "ended" ? {} : { hint: t("silences.noneHint") })}
        />
      )}
      <ul className="grid gap-3" data-testid="silences">
        {spans.map((one) => (
          <SpanCard key={`${one.kind} ${one.id}`} quiet={one} mayAct={mayAct} />
        ))}
      </ul>
      {creating !== null && mayAct && (
        <NewSpanDialog
          kind={creating}
          preset={params}
          onClose={() => {
            setCreating(null);
            setParams({}, { replace: true });
          }}
        />
      )}
    </>
  );
}
