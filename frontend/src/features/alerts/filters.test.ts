import { expect, it } from "vitest";

import { filterOf, stateOf } from "./filters";

it("shows active alerts unless the address says otherwise", () => {
  expect(filterOf(new URLSearchParams(), 50)).toEqual({ active: true, limit: 50 });
  expect(stateOf(new URLSearchParams("state=rubbish"))).toBe("active");
});

it("asks the gateway for what the address names and leaves the rest out", () => {
  const params = new URLSearchParams("state=pending&severity=critical&location_id=DC-SRC-01&type=&colour=red");
  expect(filterOf(params, 50)).toEqual({
    active: true,
    acknowledged: false,
    resolved: false,
    severity: ["critical"],
    location_id: "DC-SRC-01",
    limit: 50,
  });
});

it.each(["severity=catastrophic", "type=brand_new", "severity=&type=&battery_id="])("leaves out %s", (text) => {
  expect(filterOf(new URLSearchParams(text), 50)).toEqual({ active: true, limit: 50 });
});

it("filters by one battery and by every type that the gateway has", () => {
  const params = new URLSearchParams("type=thermal_runaway&battery_id=BAT-X-001&state=all");
  expect(filterOf(params, 10)).toEqual({ type: ["thermal_runaway"], battery_id: "BAT-X-001", limit: 10 });
});
