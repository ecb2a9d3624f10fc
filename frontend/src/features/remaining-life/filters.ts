import type { PredictionFilter, RulSource } from "@/api/types";

export const sourceChoices = ["fused", "ml", "twin", "none"] as const satisfies readonly RulSource[];
export const dueChoices = [90, 180, 365] as const;
export const sortKeys = ["p10_days", "p50_days", "battery_id"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sort {
  key: SortKey;
  isDescending: boolean;
}

/** Order of the address, as `p10_days` or `-p10_days`; the soonest end comes first unless it says otherwise. */
export function sortOf(params: URLSearchParams): Sort {
  const text = params.get("sort") ?? "";
  const key = sortKeys.find((candidate) => candidate === text.replace(/^-/, ""));
  return { key: key ?? "p10_days", isDescending: key !== undefined && text.startsWith("-") };
}

/** The address as a filter for the gateway; unknown values are left out. */
export function filterOf(params: URLSearchParams, limit: number): PredictionFilter {
  const { key, isDescending } = sortOf(params);
  const filter: PredictionFilter = { sort: key, order: isDescending ? "desc" : "asc", limit };
  const locationId = params.get("location_id");
  if (locationId) filter.location_id = locationId;
  const source = sourceChoices.find((candidate) => candidate === params.get("source"));
  if (source !== undefined) filter.source = source;
  const conflict = params.get("conflict");
  if (conflict === "true" || conflict === "false") filter.is_conflict = conflict === "true";
  const due = dueChoices.find((candidate) => String(candidate) === params.get("due"));
  if (due !== undefined) filter.due_within_days = due;
  return filter;
}
