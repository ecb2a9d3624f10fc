import type { TFunction } from "i18next";

import { type Effective, type Origin, valueNames } from "./effective";

export function originText({ scope, scope_id: id }: Origin, t: TFunction): string {
  return scope === "default" ? t("rules.origin.default") : t(`rules.origin.${scope}`, { id: id ?? "" });
}

/** Where the values come from that are not the defaults, one line for each scope; none where all are defaults. */
export function originLines({ origin }: Effective, t: TFunction): string[] {
  const names = new Map<string, string[]>();
  for (const name of valueNames) {
    if (origin[name].scope === "default") continue;
    const text = originText(origin[name], t);
    names.set(text, [...(names.get(text) ?? []), t(`rules.value.${name}`)]);
  }
  return [...names].map(([text, values]) => `${values.join(", ")}: ${text}`);
}
