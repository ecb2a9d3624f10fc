import { expect, it } from "vitest";

import type { Location } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { worstFirst } from "./order";

const NOW = Date.parse("2026-11-23T18:00:00Z");

function place(
  id: string,
  counts: Partial<Record<"critical" | "no_data" | "warning", number>>,
  mains = true,
): Location {
  const location = new MockFleet(NOW).location("DC-BKK-01", NOW);
  if (!location?.stats?.environment) throw new Error("the fleet has this place");
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

it("puts first what needs somebody first", () => {
  const unknown = { ...place("G", {}), stats: null };
  const places = [
    place("F", {}),
    place("A", {}),
    place("B", { warning: 40 }),
    place("C", { no_data: 1, warning: 1 }),
    place("D", {}, false),
    place("E", { critical: 1 }),
    unknown,
  ];
  expect(worstFirst(places).map(({ location_id: id }) => id)).toEqual(["G", "E", "D", "C", "B", "A", "F"]);
});

it("leaves the given list as it was", () => {
  const places = [place("B", {}), place("A", { critical: 1 })];
  worstFirst(places);
  expect(places.map(({ location_id: id }) => id)).toEqual(["B", "A"]);
});
