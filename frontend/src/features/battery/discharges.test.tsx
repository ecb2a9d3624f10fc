import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";
import { capacity, dischargesOf } from "@/testing/twin";

import { Discharges } from "./discharges";
import type { BatteryDischarge } from "./queries";

const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";

const [, deep] = dischargesOf(ID, Date.now());
if (deep === undefined) throw new Error("the battery has a deep discharge");

const pageOf = (items: BatteryDischarge[]) => HttpResponse.json({ items, total: items.length, skip: 0, limit: 20 });

function show(...changes: Partial<BatteryDischarge>[]) {
  const items = changes.map((change, i) => ({ ...deep, discharge_id: i + 1, ...change }) as BatteryDischarge);
  server.use(http.get(`*/api/v1/batteries/${ID}/discharges`, () => pageOf(items)));
  showPage({ path: "/", element: <Discharges batteryId={ID} /> });
}

/** Texts of the cells, row by row, without the headings. */
async function cells(): Promise<(string | null)[][]> {
  const [, ...rows] = within(await screen.findByTestId("discharges")).getAllByRole("row");
  return rows.map((row) =>
    within(row)
      .getAllByRole("cell")
      .map((cell) => cell.textContent),
  );
}

it("gives start in Bangkok's time, duration, charge with depth, current and lowest voltage", async () => {
  show({
    started_at: "2026-10-14T17:30:00Z",
    duration_s: 1368,
    drawn_ah: 26.62,
    depth_pct: 22.2,
    mean_current_a: -70.04,
    lowest_battery_id: null,
  });
  expect(await cells()).toEqual([
    ["15 Oct 2026, 00:30", "23 min", "26.6 Ah · 22 %", "-70.0 A", "11.80 V", "capacity 84 % (77–91 %)"],
  ]);
});

it("heads the columns", async () => {
  show({});
  await screen.findByTestId("discharges");
  expect(screen.getAllByRole("columnheader").map((heading) => heading.textContent)).toEqual([
    "Start",
    "Duration",
    "Discharged",
    "Current",
    "Lowest voltage",
    "Capacity estimate",
  ]);
});

it("marks tests, what still goes on and what is not complete", async () => {
  show({ mode: "test" }, { is_open: true }, { complete: false });
  const [test, open, partial] = await cells();
  expect(test?.[0]).toMatch(/ · Test$/);
  expect(open?.[0]).toMatch(/ · ongoing$/);
  expect(partial?.[2]).toMatch(/ · incomplete data$/);
  for (const text of [test?.[2], open?.[2]]) expect(text).not.toContain("incomplete");
});

it("marks only the battery that was the lowest of its string", async () => {
  show({ lowest_battery_id: ID }, { lowest_battery_id: "BAT-DC-SRC-01-UPS-01-STR-02-008" });
  const [own, other] = await cells();
  expect(own?.[4]).toBe("11.80 V · lowest in string");
  expect(other?.[4]).toBe("11.80 V");
});

it.each([
  [14.9, "too shallow (DoD below 15 %)"],
  [15, "inconclusive"],
  [60, "inconclusive"],
])("gives the reason why a discharge of %d %% indicates no capacity", async (depth, reason) => {
  show({ depth_pct: depth, block: { ...deep.block, soh: null } });
  const [row] = await cells();
  expect(row?.[5]).toBe(reason);
});

it("gives no capacity without its interval", async () => {
  show({ depth_pct: 40, block: { ...deep.block, soh: { ...capacity, low_pct: null } } });
  const [row] = await cells();
  expect(row?.[5]).toBe("inconclusive");
});

it("shows a dash for a voltage that was not measured", async () => {
  show({ block: { ...deep.block, min_voltage_v: null }, lowest_battery_id: null });
  const [row] = await cells();
  expect(row?.[4]).toBe("–");
});

it("says that there was no discharge, and what would be listed", async () => {
  show();
  expect(await screen.findByText("No discharges recorded")).toBeVisible();
  expect(screen.getByText(/^Outages and tests are listed here/)).toBeVisible();
  expect(screen.queryByRole("table")).toBeNull();
});

it("does not take an error for a battery without discharges, and reads again on Retry", async () => {
  show({});
  server.use(
    http.get("*/api/v1/batteries/:id/discharges", () => problem(500, "internal", "Something broke."), { once: true }),
  );
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("Something broke.");
  expect(screen.queryByText("No discharges recorded")).toBeNull();
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  expect(await cells()).toHaveLength(1);
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  show({ started_at: "2026-10-14T17:30:00Z", duration_s: 1368, mode: "test" });
  const [row] = await cells();
  expect(row?.[0]).toMatch(/^15 ต\.ค\. 2569.*00:30 · การทดสอบ$/);
  expect(row?.[1]).toBe("23 นาที");
  expect(row?.[5]).toBe("ความจุ 84 % (77–91 %)");
});
