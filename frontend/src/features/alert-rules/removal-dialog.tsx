import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { AlertRule, RuleOverride } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { QueryFailure, Skeleton } from "@/components/ui/states";

import { conditionText } from "./condition";
import { resolve } from "./effective";
import { useRemoval } from "./mutations";
import { originLines } from "./origin-text";
import { rulesQueries } from "./queries";
import { refusalOf } from "./refusal";
import { chainOf, isSame, overridesFor } from "./scopes";

interface RemovalDialogProps {
  rule: AlertRule;
  override: RuleOverride;
  onClose: () => void;
}

/** Asks before an override is removed, and names what applies afterwards. */
export function RemovalDialog({ rule, override, onClose }: RemovalDialogProps) {
  const { t } = useTranslation();
  const fleet = useQuery(rulesQueries.fleet());
  const removal = useRemoval(override, onClose);
  const scope = { kind: override.scope, id: override.scope_id };
  const after = fleet.data && resolve(rule, wider());
  function wider() {
    return overridesFor(rule, chainOf(scope, fleet.data ?? [])).filter((other) => !isSame(scope, other));
  }
  const lines = after === undefined ? [] : originLines(after, t);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !removal.isPending && onClose()}
      title={t("rules.removeTitle")}
      className="top-4 max-h-[calc(100dvh-2rem)] w-[min(32rem,calc(100vw-1rem))] overflow-auto p-4 sm:top-20"
    >
      <p className="font-medium break-all">
        {t(`rules.scope.kind.${scope.kind}`)} {scope.id}
      </p>
      <QueryFailure query={fleet} />
      {fleet.isPending && <Skeleton height={60} />}
      {after && (
        <>
          <p className="mt-2">{t("rules.afterRemoval", { condition: conditionText(rule, after.values, t) })}</p>
          <p className="text-muted">{lines.length === 0 ? t("rules.allDefault") : lines.join(" · ")}</p>
          {!after.values.enabled && <p className="text-critical-text">{t("rules.off")}</p>}
        </>
      )}
      {removal.isError && (
        <p role="alert" className="mt-2 text-critical-text">
          {refusalOf(removal.error).text}
        </p>
      )}
      <div className="mt-3 flex justify-end gap-2">
        <DialogClose>
          <Button disabled={removal.isPending}>{t("common.cancel")}</Button>
        </DialogClose>
        <Button tone="primary" disabled={removal.isPending} onClick={() => removal.mutate()}>
          {t("rules.remove")}
        </Button>
      </div>
    </Dialog>
  );
}
