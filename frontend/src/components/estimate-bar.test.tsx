import { render } from "@testing-library/react";
import { expect, it } from "vitest";

import type { Estimate } from "@/api/types";

import { EstimateBar } from "./estimate-bar";

const estimate: Estimate = {
  value_pct: 84,
  low_pct: 77,
  high_pct: 91,
  provenance: "discharge_inferred",
  reason: null,
};

const partsOf = (change: Partial<Estimate>, limit?: number) => {
  const { container } = render(
    <EstimateBar estimate={{ ...estimate, ...change }} from={0} to={100} {...(limit === undefined ? {} : { limit })} />,
  );
  return [...container.querySelectorAll("span")];
};

it("spans the interval and marks the value", () => {
  const [interval, value] = partsOf({});
  expect(interval).toHaveStyle({ left: "77%", width: "14%" });
  expect(value?.style.left).toContain("84%");
});

it("is hatched and has no mark while it is only assumed", () => {
  const parts = partsOf({ provenance: "prior_only" });
  expect(parts).toHaveLength(1);
  expect(parts[0]).toHaveClass("hatched");
});

it("stays on its scale and is never too narrow to see", () => {
  const [interval] = partsOf({ low_pct: 120, high_pct: 130 });
  expect(interval).toHaveStyle({ left: "100%", width: "2%" });
});

it("draws the limit", () => {
  expect(partsOf({}, 80).at(-1)).toHaveStyle({ left: "80%" });
});

it.each(["value_pct", "low_pct", "high_pct"] as const)("draws nothing without %s", (name) => {
  expect(partsOf({ [name]: null })).toHaveLength(0);
});
