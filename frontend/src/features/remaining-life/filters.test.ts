import { expect, it } from "vitest";

import { filterOf, sortOf } from "./filters";

const of = (search: string) => filterOf(new URLSearchParams(search), 50);

it("puts the soonest end first unless the address says otherwise", () => {
  expect(of("")).toEqual({ sort: "p10_days", order: "asc", limit: 50 });
  expect(of("sort=-p50_days")).toMatchObject({ sort: "p50_days", order: "desc" });
  expect(sortOf(new URLSearchParams("sort=battery_id"))).toEqual({ key: "battery_id", isDescending: false });
});

it("takes every filter from the address", () => {
  expect(of("location_id=DC-SRC-01&source=none&conflict=false&due=180")).toMatchObject({
    location_id: "DC-SRC-01",
    source: "none",
    is_conflict: false,
    due_within_days: 180,
  });
});

it.each(["sort=rubbish", "sort=-rubbish", "source=rubbish", "conflict=rubbish", "due=1", "location_id="])(
  "leaves out %s",
  (search) => {
    expect(of(search)).toEqual({ sort: "p10_days", order: "asc", limit: 50 });
  },
);
