import { expect, it } from "vitest";

import { batteryIdsOf, shortId } from "./ids";

it("names a string's batteries with three digits", () => {
  const ids = batteryIdsOf("DC-CNX-01-UPS-01-STR-02", 24);
  expect(ids).toHaveLength(24);
  expect(ids[0]).toBe("BAT-DC-CNX-01-UPS-01-STR-02-001");
  expect(ids[23]).toBe("BAT-DC-CNX-01-UPS-01-STR-02-024");
});

it.each([
  ["BAT-DC-CNX-01-UPS-01-STR-02-001", "UPS-01-STR-02-001"],
  ["DC-CNX-01-REC-01-STR-03", "REC-01-STR-03"],
  ["DC-CNX-01", "DC-CNX-01"],
])("shortens %s to %s", (id, short) => {
  expect(shortId(id)).toBe(short);
});
