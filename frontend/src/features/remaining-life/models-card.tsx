import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ModelSummary } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { EmptyState, QueryFailure, Skeleton } from "@/components/ui/states";
import { isModelMetric, useLanguage } from "@/i18n";
import { formatDateTime } from "@/lib/dates";

import { usePromotion } from "./mutations";
import { remainingLifeQueries } from "./queries";
import { Training } from "./training";

const CHAMPION = "champion";

/** For administrators: the versions of the model with their evaluation, which one is in service, and training. */
export function ModelsCard() {
  const { t } = useTranslation();
  const models = useQuery(remainingLifeQueries.models());
  const [promoting, setPromoting] = useState<string | null>(null);
  return (
    <Card className="mt-3" title={t("models.title")}>
      <QueryFailure query={models} />
      {models.isPending && <Skeleton height={120} />}
      {models.data?.models.length === 0 && <EmptyState title={t("models.none")} />}
      {models.data !== undefined && models.data.models.length > 0 && (
        <ModelTable models={models.data.models} onPromote={setPromoting} />
      )}
      <Training />
      <PromotionDialog version={promoting} onClose={() => setPromoting(null)} />
    </Card>
  );
}

function ModelTable({ models, onPromote }: { models: readonly ModelSummary[]; onPromote: (version: string) => void }) {
  const { t } = useTranslation();
  return (
    <ScrollRegion label={t("models.title")} className="overflow-x-auto">
      <table className="w-full min-w-[40rem] text-left" data-testid="models">
        <thead className="text-muted">
          <tr>
            <th className="py-1 font-medium">{t("models.version")}</th>
            <th className="font-medium">{t("models.trained")}</th>
            <th className="font-medium">{t("models.figures")}</th>
            <th>
              <span className="sr-only">{t("models.promote")}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-border">
          {models.map((model) => (
            <ModelRow key={model.version} model={model} onPromote={onPromote} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function ModelRow({ model, onPromote }: { model: ModelSummary; onPromote: (version: string) => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { version, aliases, fault = null } = model;
  const isInService = aliases.includes(CHAMPION);
  const otherAliases = aliases.filter((alias) => alias !== CHAMPION);
  return (
    <tr>
      <td className="py-1 pr-3">
        {version}
        <span className="block text-xs text-muted">
          {[t(isInService ? "models.inService" : "models.candidate"), ...otherAliases].join(", ")}
        </span>
        {fault !== null && (
          <span className="block text-xs font-medium text-critical-text">{t("models.fault", { reason: fault })}</span>
        )}
      </td>
      <td className="pr-3">{model.created_at === null ? "–" : formatDateTime(model.created_at, language)}</td>
      <td className="pr-3">
        <Metrics metrics={model.metrics} />
      </td>
      <td>
        {!isInService && fault === null && (
          <Button onClick={() => onPromote(version)} aria-label={t("models.promoteTitle", { version })}>
            {t("models.promote")}
          </Button>
        )}
      </td>
    </tr>
  );
}

/** Figures that have a name in the texts; the others only an expert would read. */
function Metrics({ metrics }: { metrics: ModelSummary["metrics"] }) {
  const { t } = useTranslation();
  const shown = Object.entries(metrics).flatMap(([name, value]) => {
    if (!isModelMetric(name)) return [];
    const text = name.endsWith("_days")
      ? t("models.metricDays", { value: Math.round(value) })
      : name === "strings"
        ? String(Math.round(value))
        : `${Math.round(100 * value)} %`;
    return [`${t(`models.metric.${name}`)} ${text}`];
  });
  return shown.length === 0 ? "–" : shown.join(" · ");
}

function PromotionDialog({ version, onClose }: { version: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const promotion = usePromotion();
  return (
    <Dialog
      open={version !== null}
      onOpenChange={(isOpen) => !isOpen && onClose()}
      title={t("models.promoteTitle", { version: version ?? "" })}
      className="top-24 w-[min(28rem,calc(100vw-2rem))] p-4 break-words"
    >
      <p>{t("models.promoteEffect")}</p>
      <div className="mt-3 flex justify-end gap-2">
        <DialogClose>
          <Button>{t("common.cancel")}</Button>
        </DialogClose>
        <Button
          tone="primary"
          disabled={promotion.isPending}
          onClick={() => version !== null && promotion.mutate(version, { onSettled: onClose })}
        >
          {t("models.promote")}
        </Button>
      </div>
    </Dialog>
  );
}
