import { scopeKinds, type Member, type Scope } from "./scopes";

export const MOST_CHOICES = 30;

export interface ScopeChoice extends Scope {
  /** Name of a location; empty for what has only an id. */
  name: string;
}

const widestFirst = [
  "location",
  "model",
  "string",
  "battery",
] as const satisfies readonly (typeof scopeKinds)[number][];

/** Scopes whose id or name contains every word; without a word only the few wide ones. */
export function findScopes(text: string, fleet: readonly Member[], names: ReadonlyMap<string, string>): ScopeChoice[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const kinds = words.length === 0 ? widestFirst.slice(0, 2) : widestFirst;
  return kinds.flatMap((kind) =>
    [...new Set(fleet.map((battery) => battery[`${kind}_id`]))]
      .map((id): ScopeChoice => ({ kind, id, name: kind === "location" ? (names.get(id) ?? "") : "" }))
      .filter(({ id, name }) => words.every((word) => `${id} ${name}`.toLowerCase().includes(word)))
      .sort((one, other) => one.id.localeCompare(other.id)),
  );
}
