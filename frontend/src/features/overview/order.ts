import type { Location } from "@/api/types";

/** Most urgent first: critical, then mains lost, then stale data, then warnings, then by id. */
export function worstFirst(locations: readonly Location[]): Location[] {
  return [...locations].sort((a, b) => {
    const [left, right] = [urgency(a), urgency(b)];
    const differing = left.findIndex((value, i) => value !== right[i]);
    return differing < 0
      ? a.location_id.localeCompare(b.location_id)
      : (right[differing] ?? 0) - (left[differing] ?? 0);
  });
}

function urgency({ stats }: Location): number[] {
  const counts = stats?.status_counts;
  // Without any figures nothing shows that a location is in order, so it comes first.
  if (counts === undefined) return [Number.POSITIVE_INFINITY];
  return [counts.critical, stats?.environment?.mains === false ? 1 : 0, counts.no_data, counts.warning];
}
