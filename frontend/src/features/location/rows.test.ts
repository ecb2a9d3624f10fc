import { describe, expect, it } from "vitest";

import { liveStore } from "@/realtime/connection";
import { latestOf, summaryOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";

import { csvOf } from "./csv";
import { batteryByKey } from "./grid-keys";
import { type Row, rowOf, rulOf, selectRows } from "./rows";

const NOW = Date.parse("2026-11-23T18:00:00Z");
const fleet = new MockFleet(NOW);

function rowsOf(locationId: string): Row[] {
  return fleet.batteriesOf(locationId).map((battery) => rowOf(summaryOf(fleet, battery, NOW), undefined, NOW));
}

const everything = { text: "", status: "", sort: "battery_id" };

describe("a row", () => {
  it("takes live values over those of the list, and silence over both", () => {
    const battery = fleet.need("BAT-DC-CNX-01-UPS-01-STR-01-001");
    const summary = summaryOf(fleet, battery, NOW);
    liveStore.applySnapshot(latestOf(fleet, NOW));
    const live = liveStore.get(battery.battery_id);
    expect(rowOf(summary, live && { ...live, voltage_v: 12.9 }, NOW)).toMatchObject({
      voltage_v: 12.9,
      status: "normal",
    });
    expect(rowOf(summary, live, NOW + 3_600_000).status).toBe("no_data");
  });
});

describe("remaining life", () => {
  const summary = {
    ...summaryOf(fleet, fleet.need("BAT-DC-CNX-01-UPS-01-STR-01-001"), NOW),
    rul_p10_days: 142,
    rul_p50_days: 198,
    rul_predicted_at: new Date(NOW - 10 * 86_400_000).toISOString(),
  };

  it("counts from now on", () => {
    expect(rulOf(summary, NOW)).toEqual({ p10: 132, p50: 188 });
    expect(rowOf(summary, undefined, NOW)).toMatchObject({ rul_p10_days: 132, rul_p50_days: 188 });
  });

  it.each([
    { rul_p10_days: null, rul_p50_days: null },
    { rul_predicted_at: null },
    { retired_at: "2026-11-20T00:00:00Z" },
  ])("is not known, and no long one, with %j", (change) => {
    expect(rulOf({ ...summary, ...change }, NOW)).toEqual({ p10: null, p50: null });
  });

  it.each(["rul_p10_days", "-rul_p10_days"])("comes last by %s where it is not known", (sort) => {
    const rows = selectRows(rowsOf("DC-SRC-01"), { ...everything, sort });
    expect(rows.at(-1)?.rul_p10_days).toBeNull();
    expect(rows[0]?.rul_p10_days).not.toBeNull();
  });
});

describe("selecting rows", () => {
  it("filters by text in id or serial number and by status", () => {
    const rows = rowsOf("DC-SRC-01");
    expect(selectRows(rows, { ...everything, text: "str-02-007" }).map((row) => row.battery_id)).toEqual([
      "BAT-DC-SRC-01-REC-01-STR-02-007",
      "BAT-DC-SRC-01-UPS-01-STR-02-007",
    ]);
    expect(selectRows(rows, { ...everything, status: "critical" })).toHaveLength(2);
    expect(selectRows(rows, { ...everything, text: rows[5]?.serial_number ?? "" })).toHaveLength(1);
  });

  it("sorts the worst status first", () => {
    const rows = selectRows(rowsOf("DC-SRC-01"), { ...everything, sort: "status" });
    expect(rows.slice(0, 3).map((row) => row.status)).toEqual(["critical", "critical", "normal"]);
  });

  it.each(["voltage_v", "-voltage_v", "time", "-time"])("puts values never measured last by %s", (sort) => {
    const rows = selectRows(rowsOf("DC-HDY-01"), { ...everything, sort });
    expect(rows.at(-1)?.battery_id).toBe("BAT-DC-HDY-01-REC-01-STR-02-024");
    const values = rows.slice(0, -1).map((row) => row[sort.replace("-", "") as "voltage_v"] ?? 0);
    const sorted = [...values].sort((a, b) => (sort.startsWith("-") ? b - a : a - b));
    expect(values).toEqual(sorted);
  });

  it("takes an unknown column as the id", () => {
    const rows = selectRows(rowsOf("DC-SRC-01"), { ...everything, sort: "rubbish" });
    expect(rows[0]?.battery_id).toBe("BAT-DC-SRC-01-REC-01-STR-01-001");
  });
});

describe("a retired battery", () => {
  const battery = fleet.need("BAT-DC-CNX-01-UPS-01-STR-02-003");
  const summary = { ...summaryOf(fleet, battery, NOW), retired_at: "2026-11-20T00:00:00Z" };

  it("is called retired whatever its last values say", () => {
    liveStore.applySnapshot(latestOf(fleet, NOW));
    expect(rowOf(summary, liveStore.get(battery.battery_id), NOW).status).toBe("retired");
  });

  it("is no battery without data, and comes after those in service", () => {
    const rows = [rowOf(summary, undefined, NOW), ...rowsOf("DC-PKT-01")];
    expect(selectRows(rows, { ...everything, status: "no_data" })).toHaveLength(24);
    expect(selectRows(rows, { ...everything, status: "retired" })).toHaveLength(1);
    expect(selectRows(rows, { ...everything, sort: "status" }).at(-1)?.battery_id).toBe(battery.battery_id);
  });
});

describe("CSV", () => {
  it("has Bangkok's time, units in the header and an empty cell for what is not known", () => {
    const rows = selectRows(rowsOf("DC-HDY-01"), { ...everything, text: "REC-01-STR-02-02" });
    const [header, ...lines] = csvOf(rows).trimEnd().split("\r\n");
    expect(header).toMatch(
      /^battery_id,serial_number,status,voltage_v,.*resistance_drift_pct,rul_p10_days,rul_p50_days,time,not_judged$/,
    );
    expect(lines).toHaveLength(rows.length);
    expect(lines[0]).toMatch(/,2026-11-24T00:5\d:\d\d\+07:00,/);
    expect(lines.at(-1)).toMatch(
      /^BAT-DC-HDY-01-REC-01-STR-02-024,CSB-DCHDY01REC01STR02-024,no_data,,,,,,,,voltage: never_measured; .*/,
    );
  });

  it("quotes a comma and a quote", () => {
    const [row] = rowsOf("DC-SRC-01");
    if (row === undefined) throw new Error("the fleet has rows");
    expect(csvOf([{ ...row, serial_number: 'A,"1"' }])).toContain(',"A,""1""",');
  });
});

it("moves over what is not there", () => {
  const rows = [
    ["a1", null, "a3"],
    [null, null],
    ["c1", "c2", "c3"],
  ];
  const move = (from: string, key: string) => batteryByKey(rows, from, key);
  expect(move("a1", "ArrowRight")).toBe("a3");
  expect(move("a3", "ArrowLeft")).toBe("a1");
  expect(move("a3", "ArrowDown")).toBe("c3");
  expect(move("c1", "ArrowUp")).toBe("a1");
  expect(move("c2", "ArrowUp")).toBeNull();
});

it("moves through the map with arrows, Home and End and stops at its edges", () => {
  const rows = [
    ["a1", "a2", "a3"],
    ["b1", "b2"],
  ];
  const move = (from: string, key: string) => batteryByKey(rows, from, key);
  expect(move("a1", "ArrowRight")).toBe("a2");
  expect(move("a2", "ArrowDown")).toBe("b2");
  expect(move("b2", "ArrowUp")).toBe("a2");
  expect(move("a2", "Home")).toBe("a1");
  expect(move("a1", "End")).toBe("a3");
  for (const [from, key] of [
    ["a1", "ArrowLeft"],
    ["a3", "ArrowRight"],
    ["a3", "ArrowDown"],
    ["a1", "ArrowUp"],
    ["a1", "x"],
    ["elsewhere", "ArrowUp"],
  ] as const) {
    expect(move(from, key)).toBeNull();
  }
});
