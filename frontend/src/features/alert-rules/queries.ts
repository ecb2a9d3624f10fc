import { queryOptions } from "@tanstack/react-query";

import { get } from "@/api/client";
import type { BatterySummary } from "@/api/types";

import type { Member } from "./scopes";

const PAGE = 1000;
const FLEET_STALE_MS = 5 * 60_000;

export const rulesQueries = {
  list: () =>
    queryOptions({
      queryKey: ["alert-rules", "list"] as const,
      queryFn: ({ signal }) => get("/api/v1/alert-rules", { query: { limit: PAGE }, signal }),
      refetchInterval: 60_000,
    }),
  /** Which battery is of which string, location and model: all of them, because a model can be anywhere. */
  fleet: () =>
    queryOptions({
      queryKey: ["alert-rules", "fleet"] as const,
      queryFn: ({ signal }) => readFleet(signal),
      staleTime: FLEET_STALE_MS,
    }),
};

async function readFleet(signal: AbortSignal): Promise<Member[]> {
  const members: Member[] = [];
  for (;;) {
    const page = await get("/api/v1/batteries", {
      query: { sort: "battery_id", skip: members.length, limit: PAGE },
      signal,
    });
    members.push(...page.items.map(memberOf));
    if (page.items.length === 0 || members.length >= page.total) return members;
  }
}

function memberOf({ battery_id, string_id, location_id, model_id }: BatterySummary): Member {
  return { battery_id, string_id, location_id, model_id };
}
