import type { Location } from "@/api/types";

/** Places that need somebody first: critical, then silent, then warnings, then by name. */
export function worstFirst(locations: readonly Location[]): Location[] {
  const rank = ({ stats }: Location): number[] => {
    const counts = stats?.status_counts;
    return [-(counts?.critical ?? 0), -(counts?.no_data ?? 0), -(counts?.warning ?? 0)];
  };
  return [...locations].sort((a, b) => {
    const left = rank(a);
    const right = rank(b);
    const differing = left.findIndex((value, i) => value !== right[i]);
    return differing < 0
      ? a.location_id.localeCompare(b.location_id)
      : (left[differing] ?? 0) - (right[differing] ?? 0);
  });
}
