import { screen } from "@testing-library/react";
import i18next from "i18next";
import { expect, it } from "vitest";

import type { ListedRuntime } from "@/api/types";
import { showPage } from "@/testing/render";

import { RuntimeLine } from "./runtime-line";

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

const usual: ListedRuntime = {
  runtime_p10_s: 90 * 60,
  runtime_p50_s: 118 * 60,
  runtime_p90_s: 140 * 60,
  reaches_cut_off: true,
  limiting_battery_id: "BAT-DC-SRC-01-UPS-01-STR-02-011",
  reason: null,
  at: ago(0),
  load: { basis: "last_discharge", current_a: -62.1, power_w: null },
  withheld_count: 0,
};

function show(change: Partial<ListedRuntime>, onBattery = false): HTMLElement {
  const runtime: ListedRuntime = { ...usual, ...change };
  showPage({
    path: "/",
    element: (
      <div data-testid="line">
        <RuntimeLine runtime={runtime} onBattery={onBattery} />
      </div>
    ),
  });
  return screen.getByTestId("line");
}

const minutes = (low: number, median: number, high: number) => ({
  runtime_p10_s: low * 60,
  runtime_p50_s: median * 60,
  runtime_p90_s: high * 60,
  load: { basis: "present" as const, current_a: -62, power_w: null },
});

it("gives the median with its interval and the load, quietly on float", () => {
  const line = show({ at: ago(500) });
  expect(line).toHaveTextContent(/^118 min \(90–140\) at 62 A$/);
  expect(line.querySelector("[data-level]")).toBeNull();
  expect(screen.getByTitle("at the load of the last discharge, 62 A")).toBeVisible();
});

it.each([
  [45, "normal", "On battery"],
  [29, "warning", "Warning"],
  [9, "critical", "Critical"],
])("shows a badge on battery, by its P10: %d min is %s", (low, level, word) => {
  const line = show({ ...minutes(low + 0.5, 60, 90) }, true);
  expect(line).toHaveTextContent(`${word}: 59 min (${low}–89) at 62 A`);
  expect(line.querySelector("[data-level]")).toHaveAttribute("data-level", level);
});

it("has no colour on float, however short the runtime is", () => {
  expect(show(minutes(5.5, 8.5, 9.5)).querySelector("[data-level]")).toBeNull();
});

it("takes the time off that has passed on battery since it was computed", () => {
  const line = show({ ...minutes(31, 40, 50), at: ago(90) }, true);
  expect(line).toHaveTextContent("Warning: 38 min (29–48) at 62 A");
});

it.each([
  ["on battery after 3 minutes", 181, true],
  ["on float after 15 minutes", 901, false],
])("shows none that is too old: %s", (_, age, onBattery) => {
  const line = show({ at: ago(age) }, onBattery);
  expect(line).toHaveTextContent(/^Runtime unknown: the latest one is too old$/);
  expect(line).not.toHaveTextContent("118");
});

it("says why there is none", () => {
  const none = { runtime_p10_s: null, runtime_p50_s: null, runtime_p90_s: null, load: null };
  expect(show({ ...none, reason: "twin_unavailable" })).toHaveTextContent(
    "Runtime unknown: the digital twin is not responding",
  );
});

it("gives a lower bound as one, and counts the batteries that it does not know", () => {
  const line = show({ reaches_cut_off: false, withheld_count: 2 });
  expect(line).toHaveTextContent("at least 118 min at 62 A· 2 not known");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  expect(show({})).toHaveTextContent(/^118 นาที \(90–140\) ที่ 62 A$/);
});
