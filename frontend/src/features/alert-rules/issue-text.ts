import type { TFunction } from "i18next";

import type { AlertRule } from "@/api/types";

import type { Issue } from "./checks";
import { limitText } from "./figures";

export function issueText(issue: Issue, rule: AlertRule, t: TFunction): string {
  const shown = (value: number) => limitText(value, rule.unit, t);
  switch (issue.code) {
    case "bounds":
      return t("rules.issue.bounds", { low: shown(issue.low), high: shown(issue.high) });
    case "boundsCompleted":
      return t("rules.issue.boundsCompleted", {
        value: shown(issue.value),
        low: shown(issue.low),
        high: shown(issue.high),
      });
    case "clearBelow":
    case "clearAbove":
      return t(`rules.issue.${issue.code}`, { value: shown(issue.value) });
    case "admin":
      return t("rules.issue.admin", { floor: shown(rule.floor?.raise_value ?? rule.raise_value) });
    default:
      return t(`rules.issue.${issue.code}`);
  }
}
