import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { put, remove } from "@/api/client";
import type { OverrideIn, RuleOverride } from "@/api/types";

import { rulesQueries } from "./queries";

/** Reads again what a change of the overrides makes untrue: the list, and the values of every battery. */
function useForget() {
  const cache = useQueryClient();
  return async () => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: rulesQueries.list().queryKey }),
      cache.invalidateQueries({ predicate: ({ queryKey: [root, , part] }) => root === "battery" && part === "rules" }),
    ]);
  };
}

/** Set the values of a rule for a scope. Without a network it fails at once: it must not be sent later, unseen. */
export function useOverride(ruleId: string, onSaved: () => void) {
  const { t } = useTranslation();
  const forget = useForget();
  return useMutation({
    networkMode: "always",
    mutationFn: (override: OverrideIn) =>
      put("/api/v1/alert-rules/{rule_id}/overrides", { path: { rule_id: ruleId }, body: override }),
    onSuccess: () => {
      toast.success(t("rules.saved"));
      onSaved();
    },
    onSettled: forget,
  });
}

export function useRemoval(override: RuleOverride, onRemoved: () => void) {
  const { t } = useTranslation();
  const forget = useForget();
  return useMutation({
    networkMode: "always",
    mutationFn: () =>
      remove("/api/v1/alert-rules/{rule_id}/overrides/{override_id}", {
        path: { rule_id: override.rule_id, override_id: override.override_id },
      }),
    onSuccess: () => {
      toast.success(t("rules.removed"));
      onRemoved();
    },
    onSettled: forget,
  });
}
