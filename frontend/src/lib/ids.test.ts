import { expect, it } from "vitest";

import { byPosition, shortId } from "./ids";

it("puts batteries into their positions and keeps the gaps", () => {
  const id = (position: string) => `BAT-DC-CNX-01-UPS-01-STR-02-${position}`;
  expect(byPosition([id("001"), id("004")])).toEqual([id("001"), null, null, id("004")]);
  expect(byPosition([id("003"), id("001")])).toEqual([id("001"), null, id("003")]);
  expect(byPosition([])).toEqual([]);
});

it.each([
  ["BAT-DC-CNX-01-UPS-01-STR-02-001", "UPS-01-STR-02-001"],
  ["DC-CNX-01-REC-01-STR-03", "REC-01-STR-03"],
  ["DC-CNX-01", "DC-CNX-01"],
])("shortens %s to %s", (id, short) => {
  expect(shortId(id)).toBe(short);
});
