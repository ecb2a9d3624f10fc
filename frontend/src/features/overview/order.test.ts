import { expect, it } from "vitest";

import type { Location } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { worstFirst } from "./order";

const NOW = Date.parse("2026-11-23T18:00:00Z");

function locationWith(
  id: string,
  counts: Partial<Record<"critical" | "no_data" | "warning", number>>,
  mains = true,
): Location {
  const location = new MockFleet(NOW).location("DC-BKK-01", NOW);
  if (!location?.stats?.environment) throw new Error("the fleet has this location");
  return {
    ...location,
    location_id: id,
    stats: {
      ...location.stats,
      status_counts: { normal: 200, critical: 0, no_data: 0, warning: 0, ...counts },
      environment: { ...location.stats.environment, mains },
    },
  };
}

it("puts the most urgent first", () => {
  const unknown = { ...locationWith("G", {}), stats: null };
  const locations = [
    locationWith("F", {}),
    locationWith("A", {}),
    locationWith("B", { warning: 40 }),
    locationWith("C", { no_data: 1, warning: 1 }),
    locationWith("D", {}, false),
    locationWith("E", { critical: 1 }),
    unknown,
  ];
  expect(worstFirst(locations).map(({ location_id: id }) => id)).toEqual(["G", "E", "D", "C", "B", "A", "F"]);
});

it("leaves the given list as it was", () => {
  const locations = [locationWith("B", {}), locationWith("A", { critical: 1 })];
  worstFirst(locations);
  expect(locations.map(({ location_id: id }) => id)).toEqual(["B", "A"]);
});
