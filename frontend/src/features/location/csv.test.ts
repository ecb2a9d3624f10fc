import { expect, it, vi } from "vitest";

import { csvOf, saveCsv } from "./csv";
import type { Row } from "./rows";

const row: Row = {
  battery_id: "BAT-DC-SRC-01-UPS-01-STR-02-007",
  serial_number: "CSB-7",
  status: "critical",
  not_judged: [],
  voltage_v: 13.62,
  temperature_c: 47.8,
  internal_resistance_mohm: 4.83,
  resistance_drift_pct: 38,
  rul_p10_days: 142.5,
  rul_p50_days: 198,
  time: Date.parse("2026-11-23T17:00:00Z"),
  stale_after_s: 300,
};

const serialIn = (serial_number: string) =>
  csvOf([{ ...row, serial_number }])
    .split("007,")[1]
    ?.split(",critical")[0];

it("writes a line per battery and ends each, the last one too", () => {
  expect(csvOf([row, row])).toBe(
    [
      "battery_id,serial_number,status,voltage_v,temperature_c,internal_resistance_mohm,resistance_drift_pct,rul_p10_days,rul_p50_days,time,not_judged",
      "BAT-DC-SRC-01-UPS-01-STR-02-007,CSB-7,critical,13.62,47.8,4.83,38,142.5,198,2026-11-24T00:00:00+07:00,",
      "BAT-DC-SRC-01-UPS-01-STR-02-007,CSB-7,critical,13.62,47.8,4.83,38,142.5,198,2026-11-24T00:00:00+07:00,",
      "",
    ].join("\r\n"),
  );
});

it("has headings even without a battery", () => {
  expect(csvOf([]).split("\r\n")).toEqual([expect.stringMatching(/^battery_id,/), ""]);
});

it.each([
  ["A,B", '"A,B"'],
  ['say "hi"', '"say ""hi"""'],
  ['"', '""""'],
  ["two\nlines", '"two\nlines"'],
  ["two\rlines", '"two\rlines"'],
  ["plain text", "plain text"],
  ["แบตเตอรี่ 7", "แบตเตอรี่ 7"],
  ["", ""],
])("writes %j as %j", (serial, cell) => {
  expect(serialIn(serial)).toBe(cell);
});

it.each([
  ["=HYPERLINK(0)", "'=HYPERLINK(0)"],
  ["+1", "'+1"],
  ["-2", "'-2"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["\tplain", "'\tplain"],
  ["  =1", "'  =1"],
  ["＝1", "'＝1"],
  ["\r=1", `"'\r=1"`],
  ["\n=1", `"'\n=1"`],
  ['=1,"x"', `"'=1,""x"""`],
])("takes the formula out of %j", (serial, cell) => {
  expect(serialIn(serial)).toBe(cell);
});

it.each(["CSB-7", "7=7", "a@b", "'7"])("leaves %j as it is", (serial) => {
  expect(serialIn(serial)).toBe(serial);
});

it("distinguishes a measured zero from an absent value, and keeps signs", () => {
  const line = csvOf([
    { ...row, voltage_v: 0, temperature_c: null, resistance_drift_pct: -3, rul_p10_days: 0, rul_p50_days: null },
  ]).split("\r\n")[1];
  expect(line).toContain(",critical,0,,4.83,-3,0,,");
});

it("writes what is not judged, with the reasons", () => {
  const not_judged: Row["not_judged"] = [
    { signal: "temperature", reason: "never_measured" },
    { signal: "resistance", reason: "no_temperature" },
  ];
  expect(csvOf([{ ...row, not_judged }])).toContain(",temperature: never_measured; resistance: no_temperature\r\n");
});

it("saves under its name as UTF-8 and frees the address afterwards", () => {
  URL.createObjectURL = vi.fn((blob: Blob | MediaSource) => `blob:${blob instanceof Blob ? blob.type : ""}`);
  const free = vi.fn();
  URL.revokeObjectURL = free;
  const saved: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    expect(free).not.toHaveBeenCalled();
    saved.push(this.download, this.href);
  });
  saveCsv("DC-SRC-01.csv", csvOf([row]));
  expect(saved).toEqual(["DC-SRC-01.csv", "blob:text/csv;charset=utf-8"]);
  expect(free).toHaveBeenCalledExactlyOnceWith("blob:text/csv;charset=utf-8");
});
