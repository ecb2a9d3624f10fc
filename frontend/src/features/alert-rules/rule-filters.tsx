import { useTranslation } from "react-i18next";

import type { AlertRule } from "@/api/types";
import { Choice } from "@/components/ui/choice";
import { alertTypeText } from "@/i18n/alert-texts";

import { byType, severities } from "./filters";

interface RuleFiltersProps {
  params: URLSearchParams;
  rules: readonly AlertRule[];
  onChange: (name: string, value: string) => void;
}

export function RuleFilters({ params, rules, onChange }: RuleFiltersProps) {
  const { t } = useTranslation();
  const valueOf = (name: string) => params.get(name) ?? "";
  const any: [string, string] = ["", t("alerts.any")];
  return (
    <div className="mb-3 flex flex-wrap gap-2">
      <input
        type="search"
        value={valueOf("q")}
        onChange={(event) => onChange("q", event.target.value)}
        aria-label={t("rules.search")}
        placeholder={t("rules.search")}
        className="min-h-8 w-full rounded-lg border border-border-strong bg-surface px-2 sm:w-56"
      />
      <Choice
        label={t("alerts.type")}
        value={valueOf("type")}
        onChange={(value) => onChange("type", value)}
        options={[any, ...byType(rules).map(([type]): [string, string] => [type, alertTypeText(type)])]}
      />
      <Choice
        label={t("alerts.severity")}
        value={valueOf("severity")}
        onChange={(value) => onChange("severity", value)}
        options={[any, ...severities.map((severity): [string, string] => [severity, t(`severity.${severity}`)])]}
      />
      <Choice
        label={t("rules.state")}
        value={valueOf("changed")}
        onChange={(value) => onChange("changed", value)}
        options={[any, ["1", t("rules.changedOnly")]]}
      />
    </div>
  );
}
