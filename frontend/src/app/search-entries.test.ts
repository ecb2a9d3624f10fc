import { expect, it } from "vitest";

import { MockFleet } from "@/testing/fleet";

import { type Entry, findEntries } from "./search-entries";

const fleet = new MockFleet(0);
const pages: Entry[] = [{ kind: "alerts", name: "Alerts", detail: "g a", to: "/alerts" }];
const locations = fleet.locationIds().map((id) => ({ location_id: id, name: fleet.location(id, 0)?.name ?? id }));
const batteryIds = fleet.batteriesOf().map((battery) => battery.battery_id);

function find(text: string, serialMatches: { battery_id: string; serial_number: string }[] = []) {
  return findEntries(text, { pages, locations, batteryIds, serialMatches }).map(({ to }) => to);
}

it("offers pages and locations before anything is typed", () => {
  expect(find("")).toHaveLength(10);
});

it("finds one battery of 1,944 by words in any order", () => {
  expect(find("007 src ups str-02")).toEqual(["/batteries/BAT-DC-SRC-01-UPS-01-STR-02-007"]);
});

it("finds a battery by the name of its location", () => {
  expect(find("phuket rec str-01-024")).toEqual(["/batteries/BAT-DC-PKT-01-REC-01-STR-01-024"]);
});

it("puts the location before its batteries and limits the list", () => {
  const all = find("chiang");
  expect(all[0]).toBe("/locations/DC-CNX-01");
  expect(all).toHaveLength(40);
});

it("adds what the gateway found by serial number", () => {
  const id = "BAT-DC-HDY-01-REC-01-STR-01-001";
  expect(find("xyz-77", [{ battery_id: id, serial_number: "XYZ-77" }])).toEqual([`/batteries/${id}`]);
});
