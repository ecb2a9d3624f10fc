import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { LocationChoice } from "@/components/location-choice";
import { Button } from "@/components/ui/button";
import { Choice } from "@/components/ui/choice";
import { alertTypes } from "@/i18n";

import { groupOf, groups, isFiltered, ME, NOBODY, severities } from "./filters";

const TYPING_MS = 300;
const field = "min-h-8 rounded-lg border border-border-strong bg-surface px-2 text-text";

interface IncidentFiltersProps {
  params: URLSearchParams;
  onChange: (params: URLSearchParams) => void;
}

/** What is listed; it is all in the address, so that a link shows the same. */
export function IncidentFilters({ params, onChange }: IncidentFiltersProps) {
  const { t } = useTranslation();
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (value === "" || (name === "status" && value === "waiting")) next.delete(name);
    else next.set(name, value);
    onChange(next);
  };
  const any: [string, string] = ["", t("incidents.filter.any")];
  const assignee = params.get("assignee") ?? "";
  const people: [string, string][] = [
    ["", t("incidents.filter.anyone")],
    [ME, t("incidents.filter.me")],
    [NOBODY, t("incidents.filter.nobody")],
  ];
  return (
    <search className="mb-3 flex flex-wrap gap-2">
      <Choice
        label={t("incidents.filter.group")}
        value={groupOf(params)}
        onChange={(value) => change("status", value)}
        options={groups.map((group) => [group, t(`incidents.group.${group}`)])}
      />
      <Choice
        label={t("incidents.filter.severity")}
        value={params.get("severity") ?? ""}
        onChange={(value) => change("severity", value)}
        options={[any, ...severities.map((one): [string, string] => [one, t(`severity.${one}`)])]}
      />
      <Choice
        label={t("incidents.filter.type")}
        value={params.get("type") ?? ""}
        onChange={(value) => change("type", value)}
        options={[any, ...alertTypes.map((type): [string, string] => [type, t(`type.${type}`)])]}
      />
      <LocationChoice value={params.get("location_id") ?? ""} onChange={(value) => change("location_id", value)} />
      <Choice
        label={t("incidents.filter.assignee")}
        value={assignee}
        onChange={(value) => change("assignee", value)}
        // A filter that is in force must not look like "anyone".
        options={people.some(([value]) => value === assignee) ? people : [...people, [assignee, assignee]]}
      />
      <SearchBox value={params.get("q") ?? ""} onChange={(value) => change("q", value)} />
      {(["from", "to"] as const).map((name) => (
        <label key={name} className="flex items-center gap-1.5 text-muted">
          {t(`incidents.filter.${name}`)}
          <input
            type="date"
            className={field}
            value={params.get(name) ?? ""}
            onChange={(event) => change(name, event.target.value)}
          />
        </label>
      ))}
      {isFiltered(params) && <Button onClick={() => onChange(new URLSearchParams())}>{t("incidents.reset")}</Button>}
    </search>
  );
}

/** The list follows once the typing pauses. */
function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => latest.current(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <label className="flex items-center gap-1.5 text-muted">
      {t("incidents.filter.search")}
      <input
        type="search"
        className={`${field} w-40`}
        placeholder={t("incidents.filter.searchHint")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </label>
  );
}
